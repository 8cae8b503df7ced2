//go:build browser

package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/nethouse-academy/albato/shared/local/albato"
)

const (
	field  = "#first input"
	toggle = "[role=switch]"

	albatoPath = "/albato/story/"
)

// story is the whole way of an organiser, in the order of its methods.
type story struct {
	*tab
	link string // of the stand-in of Albato
}

func TestStory(t *testing.T) {
	stack := startStack(t, map[string]string{"RetrySchedule": "45s,45s", "DeliveryTimeout": "5s"})
	b := story{openTab(t, stack, openBrowser(t)), stack.URL + albatoPath}
	for _, step := range []func(){
		b.firstVisit, b.wrongLink, b.rightLink, b.chooseEvent, b.sendTest, b.switchOn, b.outage, b.giveUp, b.comeBack, b.sendAgain, b.narrowDown,
	} {
		step()
	}
}

// behave tells the stand-in of Albato what to do from now on.
func (b story) behave(query string) { b.request(http.MethodPut, albatoPath+"?"+query, "") }

// received waits until the stand-in has got enough.
func (b story) received(enough func([]albato.Request) bool) []albato.Request {
	b.Helper()
	ctx, stop := context.WithTimeout(b.Context(), patience)
	defer stop()
	all, err := b.stack.Albato.Wait(ctx, albatoPath, enough)
	if err != nil {
		b.Fatalf("Albato got %d requests: %v", len(all), err)
	}
	return all
}

func (b story) firstVisit() {
	b.open()
	b.see("#welcome", "Подключите за пять шагов", "Nethouse.События", "Webhook")
	b.until(`location.hash === '' && !location.href.includes('token')`)
	b.look("welcome")
}

// Nothing, or a wrong link, is told at once, and by the server too; what was typed stays.
func (b story) wrongLink() {
	b.click("#first button", "Подключить")
	b.see("#first .error", "Вставьте ссылку из поля Webhook")
	b.click(field, "")
	b.paste("https://example.com/hook")
	b.see("#first", "Это другая ссылка: https://example.com")
	b.look("wrong-link-typed")
	b.click("#first button", "Подключить")
	b.see("#first .error", "Ссылка ведёт на другой сайт")
	b.until(`document.querySelector('#first input').value === 'https://example.com/hook'`)
	b.look("wrong-link")
	b.do(chromedp.Reload())
	b.until(`document.querySelector('#first input')?.value === 'https://example.com/hook'`)
}

// The right one, with the spaces that come along when copying.
func (b story) rightLink() {
	b.click(field, "")
	evaluate[any](b.tab, `document.querySelector('#first input').select()`)
	b.paste(" " + b.link + " ")
	b.see("#first", "Ссылка на этот компьютер.")
	b.keys(kb.Enter)
	b.see(".card", "Выключена", "заказы в Albato не уходят и не копятся", "отметить событие")
	b.see("#notice", "Ссылка подключена")
	b.until(`document.activeElement.closest('.card h2') !== null`)
	b.until(`!document.body.innerText.includes('/story/')`) // the link is a credential: masked from now on
	b.look("connected")
}

// It cannot be switched on before there is something to send, and says why.
func (b story) chooseEvent() {
	b.click(toggle, "")
	b.see(".events", "Сначала отметьте событие")
	b.until(`!document.querySelector('[role=switch]').checked && document.activeElement.type === 'checkbox'`)
	b.click(".events label", "Заказ завершён")
	b.until(`document.querySelectorAll('.done').length === 1`)
}

// A test shows what was sent and answered, and is marked as one.
func (b story) sendTest() {
	b.click(".events button", ": Заказ завершён")
	b.see(".result", "Albato принял тест", "ответ 200", "вымышленные данные")
	b.click(".result summary", "Что отправили")
	b.see(".result pre", `"test": true`, `"action": "order_complete"`)
	tests := b.received(func(all []albato.Request) bool { return len(all) == 1 })
	if !strings.Contains(tests[0].Body, `"test":true`) {
		b.Errorf("Albato got %s", tests[0].Body)
	}
	b.see(".rows", "Заказ завершён", "тест", "Доставлено")
	b.look("tested")
}

// On: an order arrives, and the journal shows it.
func (b story) switchOn() {
	b.click(toggle, "")
	b.see("#notice", "Включено: новые заказы пойдут в Albato")
	b.see(".card header", "Работает")
	b.order("first", 9840012)
	b.received(func(all []albato.Request) bool { return len(all) == 2 })
	b.see(".rows li:first-child", "Заказ завершён", "заказ 9840012", "Доставлено")
	b.see(".legend", "доставлено 1")
	b.click(".row", "заказ 9840012")
	b.see(".rows", "Albato принял данные", "Попытки", "принято (ответ 200)", `"id": 9840012`)
	b.look("delivered")
	b.do(chromedp.Reload())
	b.see(".card header", "Работает")
	b.see(".rows li:first-child", "заказ 9840012")
	if shift := evaluate[float64](b.tab, layoutShift); shift > 0.01 {
		b.Errorf("what is read moves while the page loads: layout shift %v", shift)
	}
	b.until(`document.querySelectorAll('.events input:checked').length === 1`)
}

// Albato fails: the page says what, since when, how many wait, when the next try is.
func (b story) outage() {
	b.behave("status=500")
	for i := range 3 {
		b.order(fmt.Sprintf("failing-%d", i), 9840100)
	}
	b.see(".card header", "Есть сбои, повторяем", "ждут: 3 события")
	b.see(".trouble", "ответил кодом 500", "С какого времени", "3 события", "Следующая попытка", "ничего не потеряно")
	b.see(".rows li:first-child", "Ждёт повтора")
	b.look("failing")
}

// A try that fails says so, and the last one of the schedule suspends.
func (b story) giveUp() {
	b.click(".trouble button", "Попробовать сейчас")
	b.see("#notice", "Попробовали ещё раз, но Albato пока не принимает события")
	b.see(".trouble", "Попробовали ещё раз — пока не получается", "Следующая попытка через")
	b.see(".card header", "Есть сбои, повторяем")
	b.click(".trouble button", "Попробовать сейчас")
	b.see(".card header", "Приостановлена", "ждут: 3 события")
	b.do(chromedp.Reload())
	b.see(".trouble", "Отправка приостановлена", "сама не начнётся")
	b.see(".rows li:first-child", "Отложено")
	b.look("suspended")
}

// Mended, but slow: what was kept goes out in order, and the progress survives a reload.
func (b story) comeBack() {
	before := len(b.stack.Albato.Requests(albatoPath))
	b.behave("delay=3s")
	b.click(".trouble button", "Отправить накопленное")
	b.see(".trouble", "Отправляем накопленное", "Отправлено 0 из 3")
	b.do(chromedp.Reload())
	b.see(".trouble", "Отправляем накопленное", "из 3")
	b.look("resuming")
	b.see("#notice", "Готово", "3 события")
	b.gone(".trouble")
	b.see(".card header", "Работает")
	var events []string
	for _, r := range b.stack.Albato.Requests(albatoPath)[before:] {
		if r.Status == http.StatusOK {
			events = append(events, r.Body[:len(`{"id":"failing-0"`)])
		}
	}
	if want := []string{`{"id":"failing-0"`, `{"id":"failing-1"`, `{"id":"failing-2"`}; !slices.Equal(events, want) {
		b.Errorf("Albato got %v, want %v", events, want)
	}
	b.behave("")
}

// Once more, knowingly.
func (b story) sendAgain() {
	b.see(".rows li:first-child", "Доставлено")
	b.click(".rows li:first-child .row", "")
	b.click(".rows li:first-child button", "Отправить ещё раз")
	b.see("dialog", "Связка сработает второй раз")
	b.look("dialog")
	sent := len(b.stack.Albato.Requests(albatoPath))
	b.click("dialog button", "Отправить")
	b.received(func(all []albato.Request) bool { return len(all) == sent+1 })
	b.see(".rows li:first-child", "Отправлено.")
}

// The filter.
func (b story) narrowDown() {
	evaluate[any](b.tab, `document.querySelector('.filter input').focus()`)
	b.paste("9840100")
	b.until(`document.querySelectorAll('.rows > li').length === 3`)
	b.paste("99")
	b.see(".empty", "Ничего не нашлось")
}
