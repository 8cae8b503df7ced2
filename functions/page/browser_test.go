//go:build browser

// The tests with this build tag drive the page in Chromium against the whole stack: `make test-page`.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/nethouse-academy/albato/shared/local"
)

const (
	account  = "academy-1001"
	patience = 20 * time.Second
	output   = "../../.build/page" // pictures, and axe-core
)

// tab is one tab of the browser, looked at as a person does: by what is to be seen.
type tab struct {
	*testing.T
	ctx   context.Context
	stack *local.Stack
}

// startStack starts the functions' own binaries with everything around them.
func startStack(t *testing.T, parameters map[string]string) *local.Stack {
	t.Helper()
	var log bytes.Buffer
	s, err := local.Start(t.Context(), local.Options{
		Template: "../../template.yaml", Functions: "../../.build/run", Parameters: parameters, Log: &log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			t.Logf("the stack said:\n%s", log.String())
		}
	})
	return s
}

// openBrowser starts Chromium with a profile of its own.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("starting Chromium:", err)
	}
	return ctx
}

// openTab opens a tab that fails the test when the page breaks its policy, throws, or asks anybody but its own server.
func openTab(t *testing.T, s *local.Stack, browser context.Context) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	b := &tab{T: t, ctx: ctx, stack: s}
	b.do()
	if err := chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *network.EventRequestWillBeSent:
			if at := e.Request.URL; !strings.HasPrefix(at, s.URL+"/") && !strings.HasPrefix(at, "http://127.0.0.1:") {
				t.Errorf("the page asked %s", at)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	messages, read := chromedp.Console(ctx), make(chan struct{})
	t.Cleanup(func() {
		closeTab()
		<-read // nothing is said about a test that is over
	})
	go func() {
		defer close(read)
		for m, err := range messages {
			if err != nil {
				return
			}
			// Refused calls are in the console too; they are part of the story.
			if said := fmt.Sprintf("%+v", m); strings.Contains(said, "Content Security Policy") || strings.Contains(said, "Uncaught") {
				t.Errorf("the console said: %s", said)
			}
		}
	}()
	call(b, network.Enable, network.EnableParams{})
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Moscow"})
	b.resize(1280, 800)
	return b
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.Fatal(command.Method, err)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

func (b *tab) resize(width, height int64) {
	b.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// open opens the page signed in, as the Academy does.
func (b *tab) open() {
	b.Helper()
	link, err := b.stack.PageLink(b.Context(), account)
	if err != nil {
		b.Fatal(err)
	}
	b.do(chromedp.Navigate(link))
}

func evaluate[T any](b *tab, expression string) T {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits for an expression to become true.
func (b *tab) until(expression string) {
	b.Helper()
	deadline := time.Now().Add(patience)
	for {
		// An error is a page on its way to another: it is asked again.
		done, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		if done && err == nil {
			return
		}
		if time.Now().After(deadline) {
			b.shoot("failure")
			b.Fatalf("waited in vain for %s (%v); the page says:\n%s", expression, err, evaluate[string](b, "document.body.innerText"))
		}
		b.do(chromedp.Sleep(50 * time.Millisecond))
	}
}

// see waits until all the words can be seen inside what the selector finds.
func (b *tab) see(selector string, words ...string) {
	b.Helper()
	quoted, _ := json.Marshal(words)
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.checkVisibility() && %s.every(w => e.innerText.replace(/\s+/g, ' ').includes(w)))`, selector, quoted))
}

func (b *tab) gone(selector string) {
	b.Helper()
	b.until(fmt.Sprintf(`![...document.querySelectorAll(%q)].some(e => e.checkVisibility())`, selector))
}

// click presses the mouse in the middle of the first visible element that has these words; another element in its way
// is a fault.
func (b *tab) click(selector, words string) {
	b.Helper()
	found := fmt.Sprintf(`[...document.querySelectorAll(%q)].find(e => e.checkVisibility() && e.innerText.includes(%q))`, selector, words)
	b.until(`Boolean(` + found + `)`)
	at := evaluate[[]float64](b, `(() => {
		const e = `+found+`;
		e.scrollIntoView({block: 'center'});
		const {x, y, width, height} = e.getBoundingClientRect(), at = [x + width / 2, y + height / 2];
		return e.contains(document.elementFromPoint(...at)) ? at : [];
	})()`)
	if len(at) != 2 {
		b.shoot("failure")
		b.Fatalf("%s %q is covered", selector, words)
	}
	b.do(chromedp.MouseClickXY(at[0], at[1]))
}

// paste puts text where the focus is, as a paste does.
func (b *tab) paste(text string) {
	b.Helper()
	call(b, input.InsertText, input.InsertTextParams{Text: text})
}

// keys presses keys, one after another.
func (b *tab) keys(all ...string) {
	b.Helper()
	for _, k := range all {
		b.do(chromedp.KeyEvent(k))
	}
}

// request calls the API as the Academy, or Albato's stand-in.
func (b *tab) request(method, path, body string) map[string]any {
	b.Helper()
	return b.requestWith(b.stack.APIKey, method, path, body)
}

func (b *tab) requestWith(key, method, path, body string) map[string]any {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.stack.URL+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		b.Fatalf("%s %s: %s %s %v", method, path, response.Status, raw, err)
	}
	var answer map[string]any
	_ = json.Unmarshal(raw, &answer) // the stand-in answers in words
	return answer
}

// order posts an event of a finished order.
func (b *tab) order(event string, order int) {
	b.Helper()
	b.request(http.MethodPost, "/v1/events", fmt.Sprintf(
		`{"id":%q,"account_id":%q,"occurred_at":%q,"data":{"action":"order_complete","order":{"id":%d},"order_tickets":[]}}`,
		event, account, time.Now().UTC().Format(time.RFC3339Nano), order))
}

// shoot takes a picture of what is on the screen.
func (b *tab) shoot(name string) {
	b.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Log("no picture:", err)
		return
	}
	if err := os.MkdirAll(output, 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(output, name+".png"), picture, 0o644); err != nil {
		b.Fatal(err)
	}
}
