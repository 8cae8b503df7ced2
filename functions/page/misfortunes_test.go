//go:build browser

package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// misfortunes are what happens when somebody else was quicker, the line is down, or the session is over: nothing typed
// is lost. They come in the order of the methods.
type misfortunes struct {
	*tab
	path string // of the connection
}

func TestMisfortunes(t *testing.T) {
	stack := startStack(t, nil)
	b := misfortunes{tab: openTab(t, stack, openBrowser(t))}
	made := b.request(http.MethodPost, "/v1/accounts/"+account+"/connections",
		fmt.Sprintf(`{"webhook_url":"%s/albato/misfortunes/","name":"CRM","actions":["order_complete"],"enabled":true}`, stack.URL))
	b.path = fmt.Sprintf("/v1/accounts/%s/connections/%s", account, made["id"])
	for _, step := range []func(){
		b.conflict, b.drafts, b.offline, b.lastEvent, b.deletedElsewhere, b.expired, b.subscribed, b.slowAnswer,
	} {
		step()
	}
}

// conditions sets how the network is for these addresses; none means all.
func (b misfortunes) conditions(c network.Conditions) {
	b.Helper()
	c.DownloadThroughput, c.UploadThroughput = -1, -1
	call(b.tab, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{&c}})
}

func (b misfortunes) conflict() {
	b.open()
	b.see(".card", "CRM", "Работает", "ждём первое событие")

	b.click(".card button", "Переименовать")
	b.see("dialog", "Название")
	b.paste("Моё название")
	b.request(http.MethodPatch, b.path, `{"name":"Название из другой вкладки"}`)
	b.keys(kb.Enter)
	b.see("dialog", "изменили в другой вкладке")
	b.see(".card h2", "Название из другой вкладки")
	b.until(`document.querySelector('dialog input').value === 'Моё название'`)
	b.look("conflict")
	b.keys(kb.Enter)
	b.see(".card h2", "Моё название")
	b.gone("dialog")
}

// A dialog closed by mistake, or by a reload, keeps its text.
func (b misfortunes) drafts() {
	b.click(".card button", "Заменить ссылку")
	b.see("dialog", "Сейчас: http")
	b.paste("https://h.albato.ru/wh/38/")
	b.do(chromedp.Reload())
	b.click(".card button", "Заменить ссылку")
	b.until(`document.querySelector('dialog input').value === 'https://h.albato.ru/wh/38/'`)
	b.keys(kb.Escape)
}

// Offline.
func (b misfortunes) offline() {
	offline := func(is bool) {
		call(b.tab, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1})
		b.conditions(network.Conditions{Offline: is})
	}
	offline(true)
	b.see("#notice", "Нет связи")
	b.click(".events label", "Заказ создан")
	b.see(".events .error", "Нет связи. Проверьте интернет и повторите.")
	b.until(`document.querySelectorAll('.events input:checked').length === 1`)
	b.look("offline")
	offline(false)
	b.see("#notice", "Связь восстановилась")
}

// The last event stays while the connection is on.
func (b misfortunes) lastEvent() {
	b.click(".events label", "Заказ завершён")
	b.see(".events .error", "Нужно хотя бы одно событие")
	b.until(`document.querySelectorAll('.events input:checked').length === 1`)
}

// Deleted in another tab.
func (b misfortunes) deletedElsewhere() {
	b.request(http.MethodDelete, b.path, "")
	b.click(toggle, "")
	b.see("#notice", "Подключение удалено")
	b.see("#welcome", "Подключите за пять шагов")
}

// The session is over.
func (b misfortunes) expired() {
	b.click(field, "")
	b.paste("https://h.albato.ru/wh/38/abc")
	evaluate[any](b.tab, `(() => {
		const [head, claims] = sessionStorage.getItem('token').slice(1, -1).split('.');
		location.hash = 'token=' + [head, claims, 'wrong'].join('.');
	})()`)
	b.see("#blocked", "Время сеанса вышло", "Приложения")
	b.look("expired")
	b.open()
	b.until(`document.querySelector('#first input')?.value === 'https://h.albato.ru/wh/38/abc'`)
}

// What Albato connects by itself is shown as such.
func (b misfortunes) subscribed() {
	token := b.request(http.MethodPost, "/v1/accounts/"+account+"/tokens", `{}`)["token"].(string)
	b.requestWith(token, http.MethodPost, "/v1/accounts/"+account+"/subscriptions",
		fmt.Sprintf(`{"action":"order_complete","webhook_url":"%s/albato/subscribed/"}`, b.stack.URL))
	b.open()
	b.see(".card header", "подключил сам Albato", "Работает")
}

// The first answer is slow, or does not come.
func (b misfortunes) slowAnswer() {
	calls := b.stack.URL + "/v1/*"
	b.conditions(network.Conditions{URLPattern: calls, Latency: 8000})
	b.do(chromedp.Reload())
	b.see("#loading", "Связь медленная, ждём ответа…")
	b.look("slow")
	b.see(".card header", "Работает")
	b.conditions(network.Conditions{URLPattern: calls, Offline: true})
	b.do(chromedp.Reload())
	b.see("#blocked", "Не получилось загрузить", "Нет связи")
	b.look("unreachable")
	b.conditions(network.Conditions{URLPattern: calls})
	b.click("#blocked button", "Попробовать ещё раз")
	b.see(".card header", "Работает")
}

// Without a token the page says where to come from.
func TestStranger(t *testing.T) {
	b := openTab(t, startStack(t, nil), openBrowser(t))
	b.do(chromedp.Navigate(b.stack.URL + "/page"))
	b.see("#blocked", "Откройте страницу из Академии")
	b.look("stranger")
}
