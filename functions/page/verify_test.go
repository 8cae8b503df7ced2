//go:build browser

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"

	"github.com/nethouse-academy/albato/shared/webhook/verify"
)

// Who takes deliveries with a program of his own copies the check of their signature, also where the clipboard is refused.
func TestCopySnippet(t *testing.T) {
	b := openTab(t, startStack(t, nil), openBrowser(t))
	allow := func(permission string, setting browser.PermissionSetting) {
		t.Helper()
		call(b, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: permission}, Setting: setting, Origin: b.stack.URL,
		})
	}
	same := func(language, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", language, got, want)
		}
	}
	b.open()
	b.click("#help summary", "Как проверить, что запрос отправили мы")
	b.see("#help details", "webhook-id", "webhook-timestamp", "webhook-signature", "Секрет")
	b.look("snippets")

	allow("clipboard-read", browser.PermissionSettingGranted)
	allow("clipboard-write", browser.PermissionSettingGranted)
	for _, each := range []struct{ language, source string }{{"Go", verify.Go}, {"PHP", verify.PHP}} {
		b.click("#help button", each.language)
		quoted, _ := json.Marshal(each.source)
		b.until(fmt.Sprintf(`document.querySelector('#help pre').textContent === %s && document.querySelector('#help [role=status]').innerText === 'Скопировано.'`, quoted))
		same(each.language, evaluate[string](b, `navigator.clipboard.readText()`), each.source)
	}

	allow("clipboard-write", browser.PermissionSettingDenied)
	b.click("#help button", "Python")
	b.see("#help [role=status]", "Выделено: нажмите Ctrl+C.")
	same("Python", evaluate[string](b, `getSelection().toString()`), strings.TrimSuffix(verify.Python, "\n")) // a selection has no last line end
	b.look("snippet")
}
