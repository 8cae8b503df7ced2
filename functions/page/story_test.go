//go:build browser

package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/nethouse-academy/albato/shared/local/albato"
)

const (
	field  = "#first input"
	toggle = "[role=switch]"
)

// The whole way of an organiser, from the first visit to the recovery after an outage.
func TestStory(t *testing.T) {
	stack := startStack(t, map[string]string{"RetrySchedule": "45s,45s", "DeliveryTimeout": "5s"})
	b := openTab(t, stack, openBrowser(t))
	link := stack.URL + "/albato/story/"
	behave := func(query string) { b.request(http.MethodPut, "/albato/story/?"+query, "") }
	received := func(enough func([]albato.Request) bool) []albato.Request {
		t.Helper()
		ctx, stop := context.WithTimeout(t.Context(), patience)
		defer stop()
		all, err := stack.Albato.Wait(ctx, "/albato/story/", enough)
		if err != nil {
			t.Fatalf("Albato got %d requests: %v", len(all), err)
		}
		return all
	}

	b.open()
	b.see("#welcome", "Подключите за пять шагов", "Nethouse.События", "Webhook")
	b.until(`location.hash === '' && !location.href.includes('token')`)
	b.look("welcome")

	// Nothing, or a wrong link, is told at once, and by the server too; what was typed stays.
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

	// The right one, with the spaces that come along when copying.
	b.click(field, "")
	evaluate[any](b, `document.querySelector('#first input').select()`)
	b.paste(" " + link + " ")
	b.see("#first", "Ссылка на этот компьютер.")
	b.keys(kb.Enter)
	b.see(".card", "Выключена", "заказы в Albato не уходят и не копятся", "отметить событие")
	b.see("#notice", "Ссылка подключена")
	b.until(`document.activeElement.closest('.card h2') !== null`)
	b.until(`!document.body.innerText.includes('/story/')`) // the link is a credential: masked from now on
	b.look("connected")

	// It cannot be switched on before there is something to send, and says why.
	b.click(toggle, "")
	b.see(".events", "Сначала отметьте событие")
	b.until(`!document.querySelector('[role=switch]').checked && document.activeElement.type === 'checkbox'`)
	b.click(".events label", "Заказ завершён")
	b.until(`document.querySelectorAll('.done').length === 1`)

	// A test shows what was sent and answered, and is marked as one.
	b.click(".events button", ": Заказ завершён")
	b.see(".result", "Albato принял тест", "ответ 200", "вымышленные данные")
	b.click(".result summary", "Что отправили")
	b.see(".result pre", `"test": true`, `"action": "order_complete"`)
	tests := received(func(all []albato.Request) bool { return len(all) == 1 })
	if !strings.Contains(tests[0].Body, `"test":true`) {
		t.Errorf("Albato got %s", tests[0].Body)
	}
	b.see(".rows", "Заказ завершён", "тест", "Доставлено")
	b.look("tested")

	// On: an order arrives, and the journal shows it.
	b.click(toggle, "")
	b.see("#notice", "Включено: новые заказы пойдут в Albato")
	b.see(".card header", "Работает")
	b.order("first", 9840012)
	received(func(all []albato.Request) bool { return len(all) == 2 })
	b.see(".rows li:first-child", "Заказ завершён", "заказ 9840012", "Доставлено")
	b.see(".legend", "доставлено")
	b.click(".row", "заказ 9840012")
	b.see(".rows", "Albato принял данные", "Попытки", "принято (ответ 200)", `"id": 9840012`)
	b.look("delivered")
	b.do(chromedp.Reload())
	b.see(".card header", "Работает")
	b.see(".rows li:first-child", "заказ 9840012")
	if shift := evaluate[float64](b, layoutShift); shift > 0.01 {
		t.Errorf("what is read moves while the page loads: layout shift %v", shift)
	}
	b.until(`document.querySelectorAll('.events input:checked').length === 1`)

	// Albato fails: the page says what, since when, how many wait, when the next try is.
	behave("status=500")
	for i := range 3 {
		b.order(fmt.Sprintf("failing-%d", i), 9840100)
	}
	b.see(".card header", "Есть сбои, повторяем", "ждут: 3 события")
	b.see(".trouble", "ответил кодом 500", "С какого времени", "3 события", "Следующая попытка", "ничего не потеряно")
	b.see(".rows li:first-child", "Ждёт повтора")
	b.look("failing")

	// A try that fails says so, and the last one of the schedule suspends.
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

	// Mended, but slow: what was kept goes out in order, and the progress survives a reload.
	before := len(stack.Albato.Requests("/albato/story/"))
	behave("delay=3s")
	b.click(".trouble button", "Отправить накопленное")
	b.see(".trouble", "Отправляем накопленное", "Отправлено 0 из 3")
	b.do(chromedp.Reload())
	b.see(".trouble", "Отправляем накопленное", "из 3")
	b.look("resuming")
	b.see("#notice", "Готово", "3 события")
	b.gone(".trouble")
	b.see(".card header", "Работает")
	var events []string
	for _, r := range stack.Albato.Requests("/albato/story/")[before:] {
		if r.Status == http.StatusOK {
			events = append(events, r.Body[:len(`{"id":"failing-0"`)])
		}
	}
	if want := []string{`{"id":"failing-0"`, `{"id":"failing-1"`, `{"id":"failing-2"`}; !slices.Equal(events, want) {
		t.Errorf("Albato got %v, want %v", events, want)
	}
	behave("")

	// Once more, knowingly.
	b.see(".rows li:first-child", "Доставлено")
	b.click(".rows li:first-child .row", "")
	b.click(".rows li:first-child button", "Отправить ещё раз")
	b.see("dialog", "Связка сработает второй раз")
	b.look("dialog")
	sent := len(stack.Albato.Requests("/albato/story/"))
	b.click("dialog button", "Отправить")
	received(func(all []albato.Request) bool { return len(all) == sent+1 })
	b.see(".rows li:first-child", "Отправлено.")

	// The filter.
	evaluate[any](b, `document.querySelector('.filter input').focus()`)
	b.paste("9840100")
	b.until(`document.querySelectorAll('.rows > li').length === 3`)
	b.paste("99")
	b.see(".empty", "Ничего не нашлось")
}

// What happens when somebody else was quicker, the line is down, or the session is over: nothing typed is lost.
func TestMisfortunes(t *testing.T) {
	stack := startStack(t, nil)
	browser := openBrowser(t)
	b := openTab(t, stack, browser)
	made := b.request(http.MethodPost, "/v1/accounts/"+account+"/connections",
		fmt.Sprintf(`{"webhook_url":"%s/albato/misfortunes/","name":"CRM","actions":["order_complete"],"enabled":true}`, stack.URL))
	path := fmt.Sprintf("/v1/accounts/%s/connections/%s", account, made["id"])
	b.open()
	b.see(".card", "CRM", "Работает", "ждём первое событие")

	b.click(".card button", "Переименовать")
	b.see("dialog", "Название")
	b.paste("Моё название")
	b.request(http.MethodPatch, path, `{"name":"Название из другой вкладки"}`)
	b.keys(kb.Enter)
	b.see("dialog", "изменили в другой вкладке")
	b.see(".card h2", "Название из другой вкладки")
	b.until(`document.querySelector('dialog input').value === 'Моё название'`)
	b.look("conflict")
	b.keys(kb.Enter)
	b.see(".card h2", "Моё название")
	b.gone("dialog")

	// A dialog closed by mistake, or by a reload, keeps its text.
	b.click(".card button", "Заменить ссылку")
	b.see("dialog", "Сейчас: http")
	b.paste("https://h.albato.ru/wh/38/")
	b.do(chromedp.Reload())
	b.click(".card button", "Заменить ссылку")
	b.until(`document.querySelector('dialog input').value === 'https://h.albato.ru/wh/38/'`)
	b.keys(kb.Escape)

	// Offline.
	offline := func(is bool) {
		call(b, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1})
		call(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
			{Offline: is, DownloadThroughput: -1, UploadThroughput: -1},
		}})
	}
	offline(true)
	b.see("#notice", "Нет связи")
	b.click(".events label", "Заказ создан")
	b.see(".events .error", "Нет связи. Проверьте интернет и повторите.")
	b.until(`document.querySelectorAll('.events input:checked').length === 1`)
	b.look("offline")
	offline(false)
	b.see("#notice", "Связь восстановилась")

	// The last event stays while the connection is on.
	b.click(".events label", "Заказ завершён")
	b.see(".events .error", "Нужно хотя бы одно событие")
	b.until(`document.querySelectorAll('.events input:checked').length === 1`)

	// Deleted in another tab.
	b.request(http.MethodDelete, path, "")
	b.click(toggle, "")
	b.see("#notice", "Подключение удалено")
	b.see("#welcome", "Подключите за пять шагов")

	// The session is over.
	b.click(field, "")
	b.paste("https://h.albato.ru/wh/38/abc")
	evaluate[any](b, `(() => {
		const [head, claims] = sessionStorage.getItem('token').slice(1, -1).split('.');
		location.hash = 'token=' + [head, claims, 'wrong'].join('.');
	})()`)
	b.see("#blocked", "Время сеанса вышло", "Приложения")
	b.look("expired")
	b.open()
	b.until(`document.querySelector('#first input')?.value === 'https://h.albato.ru/wh/38/abc'`)

	// What Albato connects by itself is shown as such.
	token := b.request(http.MethodPost, "/v1/accounts/"+account+"/tokens", `{}`)["token"].(string)
	b.requestWith(token, http.MethodPost, "/v1/accounts/"+account+"/subscriptions",
		fmt.Sprintf(`{"action":"order_complete","webhook_url":"%s/albato/subscribed/"}`, stack.URL))
	b.open()
	b.see(".card header", "подключил сам Albato", "Работает")

	// The first answer is slow, or does not come.
	slow := func(c network.Conditions) {
		c.URLPattern, c.DownloadThroughput, c.UploadThroughput = stack.URL+"/v1/*", -1, -1
		call(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{&c}})
	}
	slow(network.Conditions{Latency: 8000})
	b.do(chromedp.Reload())
	b.see("#loading", "Связь медленная, ждём ответа…")
	b.look("slow")
	b.see(".card header", "Работает")
	slow(network.Conditions{Offline: true})
	b.do(chromedp.Reload())
	b.see("#blocked", "Не получилось загрузить", "Нет связи")
	b.look("unreachable")
	slow(network.Conditions{})
	b.click("#blocked button", "Попробовать ещё раз")
	b.see(".card header", "Работает")

	stranger := openTab(t, stack, browser)
	call(stranger, network.Enable, network.EnableParams{})
	evaluate[any](stranger, fmt.Sprintf("location.href = %q", stack.URL+"/page"))
	stranger.see("#blocked", "Откройте страницу из Академии")
}
