//go:build browser

package main

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/nethouse-academy/albato/shared/local/albato"
)

// A long journal comes page by page; what is new comes in without closing what is read; filters narrow it down.
func TestJournal(t *testing.T) {
	stack := startStack(t, nil)
	b := openTab(t, stack, openBrowser(t))
	b.request(http.MethodPost, "/v1/accounts/"+account+"/connections",
		fmt.Sprintf(`{"webhook_url":"%s/albato/journal/","actions":["order_complete"],"enabled":true}`, stack.URL))
	arrived := func(n int) {
		t.Helper()
		ctx, stop := context.WithTimeout(t.Context(), patience)
		defer stop()
		if all, err := stack.Albato.Wait(ctx, "/albato/journal/", func(all []albato.Request) bool { return len(all) >= n }); err != nil {
			t.Fatalf("Albato got %d of %d: %v", len(all), n, err)
		}
	}
	for i := range 45 {
		b.order(fmt.Sprintf("event-%d", i), 1000+i)
	}
	arrived(45)
	b.open()
	rows := func(n int) {
		t.Helper()
		b.until(fmt.Sprintf(`(rows => rows.length === %d && new Set(rows.map(r => r.innerText.match(/заказ (\d+)/)[1])).size === %d &&
			rows.every((r, i) => !i || rows[i - 1].dataset.id > r.dataset.id))([...document.querySelectorAll('.rows > li')])`, n, n))
	}
	rows(20)
	b.see(".rows li:first-child", "заказ 1044", "Доставлено")
	b.see(".legend", "доставлено 45")
	b.click(".card button", "Показать ещё")
	rows(40)
	b.until(`document.activeElement === document.querySelectorAll('.row')[20]`) // reading goes on where it was
	b.click(".card button", "Показать ещё")
	rows(45)
	b.until(`![...document.querySelectorAll('.card button')].some(e => e.innerText === 'Показать ещё' && e.checkVisibility())`)
	b.look("journal")

	// Something arrives while an entry is read.
	b.click(".row", "заказ 1043")
	b.see(".rows", "Отправленные данные", `"id": 1043`)
	b.request(http.MethodPut, "/albato/journal/?status=422", "")
	b.order("late", 2000)
	b.see(".rows li:first-child", "заказ 2000", "Не принято", "ответил кодом 422")
	rows(46)
	b.see(".rows", `"id": 1043`)
	b.see(".legend", "не принято 1")

	// Filters, kept over a reload.
	choose := func(name, value string) {
		t.Helper()
		evaluate[any](b, fmt.Sprintf(`(s => { s.value = %q; s.dispatchEvent(new Event('change')); })(document.querySelector('[data-ref=%s]'))`, value, name))
	}
	choose("status", "failed")
	rows(1)
	b.do(chromedp.Reload())
	b.see(".rows li:first-child", "заказ 2000")
	rows(1)
	choose("action", "order_create")
	b.see(".empty", "Ничего не нашлось")
	choose("action", "")
	rows(1)

	// It is sent again once the receiver is mended.
	b.request(http.MethodPut, "/albato/journal/", "")
	b.click(".row", "заказ 2000")
	b.see(".rows", "Albato отказался от этого события", "Попытки", "ответил кодом 422")
	b.click(".rows button", "Отправить ещё раз")
	b.see(".rows li:first-child", "Доставлено", "Отправлено.")
}
