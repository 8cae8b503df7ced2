//go:build browser

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The Academy shows the page in an iframe of its own site, perhaps a narrow one, and the browser may refuse storage there.
func TestFrame(t *testing.T) {
	academy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>Академия</title><iframe title="Albato" src="%s" width="340" height="700"></iframe>`, r.URL.Query().Get("link"))
	}))
	defer academy.Close()
	stack := startStack(t, map[string]string{"FrameAncestors": academy.URL})
	b := openTab(t, stack, openBrowser(t))
	call(b, page.Enable, page.EnableParams{})
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('no storage', 'SecurityError'); }})`,
	})
	link, err := stack.PageLink(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(academy.URL + "/?link=" + url.QueryEscape(link)))
	frames, err := chromedp.Run(b.ctx, chromedp.Nodes(chromedp.CSS("iframe")))
	if err != nil || len(frames) != 1 {
		t.Fatal(frames, err)
	}
	inFrame := func(expression string) {
		t.Helper()
		if err := chromedp.Do(b.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInFrame(frames[0]), chromedp.WithPollingTimeout(patience))); err != nil {
			b.shoot("failure")
			t.Fatalf("%s: %v", expression, err)
		}
	}
	inFrame(`document.querySelector('#welcome')?.checkVisibility() && document.documentElement.scrollWidth <= innerWidth && innerWidth === 340`)
	b.shoot("frame")
}

// Everything can be done with the keyboard alone, and one always sees where one is.
func TestKeyboard(t *testing.T) {
	stack := startStack(t, nil)
	b := openTab(t, stack, openBrowser(t))
	b.open()
	b.see("#welcome", "Вставьте её сюда")

	// reach presses Tab until the focus is on an element with these words.
	reach := func(selector, words string) {
		t.Helper()
		for range 60 {
			b.keys(kb.Tab)
			if !evaluate[bool](b, `document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none'`) {
				t.Fatalf("one does not see the focus on %s", evaluate[string](b, "document.activeElement.outerHTML"))
			}
			if evaluate[bool](b, fmt.Sprintf(`document.activeElement.matches(%q) && (document.activeElement.closest('label') ?? document.activeElement).innerText.includes(%q)`, selector, words)) {
				return
			}
		}
		t.Fatalf("%s %q cannot be reached by the keyboard", selector, words)
	}
	reach(field, "")
	b.paste(stack.URL + "/albato/keyboard/")
	b.keys(kb.Enter)
	b.see(".card", "Выключена")
	reach("[type=checkbox]", "Заказ завершён")
	b.keys(" ")
	b.until(`document.querySelectorAll('.done').length === 1`)
	reach("button", "Отправить тест")
	b.keys(kb.Enter)
	b.see(".result", "Albato принял тест")
	evaluate[any](b, `document.querySelector('h1').scrollIntoView(); document.activeElement.blur()`)
	reach(toggle, "Включена")
	b.keys(" ")
	b.see(".card header", "Работает")
	reach("button", "Переименовать")
	b.keys(kb.Enter)
	b.see("dialog", "Название")
	b.paste("С клавиатуры")
	b.keys(kb.Enter)
	b.see(".card h2", "С клавиатуры")
	b.gone("dialog")
	b.until(`document.activeElement.innerText === 'Переименовать'`) // back where one was
	reach(".row", "Заказ завершён")
	b.keys(kb.Enter)
	b.see(".rows", "Отправленные данные")
	reach("button", "Скопировать данные")
	b.keys(kb.Enter)
	b.see(".rows", "Скопировано.")
}

// The most connections an account may have, some with names nobody thought of.
func TestManyConnections(t *testing.T) {
	stack := startStack(t, nil)
	b := openTab(t, stack, openBrowser(t))
	for i := range 20 {
		name := fmt.Sprintf("Курс %d", i+1)
		switch i {
		case 3:
			name = strings.Repeat("Очень длинное название ", 4)
		case 5:
			name = strings.Repeat("СловоБезПробелов", 6)
		case 7:
			name = `<b>"&quot;</b>`
		}
		b.request(http.MethodPost, "/v1/accounts/"+account+"/connections",
			fmt.Sprintf(`{"webhook_url":"%s/albato/%d/","name":%q,"actions":["order_complete"],"enabled":%t}`, stack.URL, i, name, i%3 > 0))
	}
	b.open()
	b.until(`document.querySelectorAll('.card header').length === 20`)
	b.see(".card h2", `<b>"&quot;</b>`)
	b.gone(".journal, .events") // closed, so nothing is asked for
	b.look("many")
	b.click(".card h2 button", "Курс 5")
	b.see(".events", "Заказ завершён")
	b.do(chromedp.Reload())
	b.see(".events", "Заказ завершён") // still open
	b.click("#add", "Добавить подключение")
	b.paste(stack.URL + "/albato/21/")
	b.keys(kb.Enter)
	b.see("#another .error", "Больше 20 подключений нельзя")
	b.look("too-many")
	b.click("#another button", "Отмена")
	b.until(`document.activeElement.id === 'add'`)
}
