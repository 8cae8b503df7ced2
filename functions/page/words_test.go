//go:build browser

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// The words that depend on values: what a link is told, numbers and times, and what an error means.
func TestWords(t *testing.T) {
	stack := startStack(t, map[string]string{"AllowedHosts": "h.albato.ru,h.albato.com"})
	b := openTab(t, stack, openBrowser(t))
	b.open()
	b.see("#welcome", "Подключите")
	assets := regexp.MustCompile(`page/[0-9a-f]+/`).FindString(body(t, get(t, stack.URL+"/page")))
	in := func(module, expression string) string {
		t.Helper()
		return evaluate[string](b, fmt.Sprintf(`import(%q).then(m => String(%s))`, stack.URL+"/"+assets+module, expression))
	}
	for _, tt := range []struct{ typed, kind, says string }{
		{"", "", "Начинается с https://h.albato.ru/"},
		{"  https://h.albato.ru/wh/38/1lfAbCd/token/\n", "ok", "Похоже на ссылку Albato."},
		{"https://h.albato.com/h/38/token%253D", "ok", "Похоже на ссылку Albato."},
		{"https://h.albato.ru/wh 38/", "bad", "Здесь пробел"},
		{"https://h.albato.ru/wh/38/1lf…/…k9Qw/", "bad", "Это сокращённая ссылка"},
		{"привет", "bad", "Это не ссылка"},
		{"h.albato.ru/wh/38/1lfAbCd/token/", "bad", "Это не ссылка"},
		{"http://h.albato.ru/wh/38/1lfAbCd/token/", "bad", "Это другая ссылка: http://h.albato.ru"},
		{"https://h.albato.ru:8443/wh/38/1lfAbCd/token/", "bad", "Это другая ссылка: https://h.albato.ru:8443"},
		{"https://albato.ru/app/", "bad", "Это другая ссылка: https://albato.ru"},
		{"https://h.albato.ru/wh/38", "bad", "Это только начало ссылки"},
		{"http://127.0.0.1:8080/albato/x/", "ok", "Ссылка на этот компьютер."},
	} {
		typed, _ := json.Marshal(tt.typed)
		got := in("strings.js", fmt.Sprintf("JSON.stringify(m.judge(%s))", typed))
		var verdict [2]string
		if err := json.Unmarshal([]byte(got), &verdict); err != nil || verdict[0] != tt.kind || !strings.Contains(verdict[1], tt.says) {
			t.Errorf("%q: %s, want %s %s", tt.typed, got, tt.kind, tt.says)
		}
	}
	for _, tt := range []struct{ module, expression, want string }{
		{"format.js", "m.events(1)", "1 событие"}, {"format.js", "m.events(2)", "2 события"}, {"format.js", "m.events(5)", "5 событий"},
		{"format.js", "m.events(11)", "11 событий"}, {"format.js", "m.events(21)", "21 событие"}, {"format.js", "m.events(0)", "0 событий"},
		{"format.js", "m.events(1000, true)", "1\u00a0000 событий и больше"},
		{"format.js", "m.until(new Date(Date.now() - 5000).toISOString())", "прямо сейчас"},
		{"format.js", "m.until(new Date(Date.now() + 40_200).toISOString())", "через 40 секунд"},
		{"format.js", "m.until(new Date(Date.now() + 300_200).toISOString()).slice(0, 13)", "через 5 минут"},
		{"format.js", "m.until(new Date(Date.now() + 7200_200).toISOString()).slice(0, 12)", "через 2 часа"},
		{"format.js", "m.moment(new Date().toISOString()).slice(0, 9)", "сегодня в"},
		{"format.js", "m.moment(new Date(Date.now() - 864e5).toISOString()).slice(0, 7)", "вчера в"},
		{"format.js", "m.moment('2020-01-05T09:05:00Z')", "5 января в 12:05"},
		{"format.js", "m.since('2020-01-05T09:05:00Z')", "5 января, 12:05"},
		{"format.js", "m.took(87)", "87 мс"}, {"format.js", "m.took(1234)", "1,2 с"},
		{"strings.js", "m.problem({code: 'offline'})", "Нет связи. Проверьте интернет и повторите."},
		{"strings.js", "m.problem({code: 'rate_limited', status: 429, retryAfter: 21})", "Сервис занят. Попробуйте через 21 секунду."},
		{"strings.js", "m.problem({status: 503, problem: {message: 'Service Unavailable'}})", "Сервис занят. Попробуйте через 5 секунд."},
		{"strings.js", "m.problem({code: 'invalid_request', problem: {errors: [{detail: 'Так нельзя.'}, {detail: 'english'}]}})", "Так нельзя."},
		{"strings.js", "m.problem({code: 'internal', status: 500, problem: {request_id: 'abc'}})",
			"Что-то сломалось у нас. Попробуйте ещё раз, а если не поможет, назовите поддержке код abc."},
		{"strings.js", "m.reason('', 0)", "Не удалось связаться с Albato."},
		{"strings.js", "m.reason(null, 404)", "Albato не принял событие (ответ 404)."},
	} {
		if got := in(tt.module, tt.expression); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.expression, got, tt.want)
		}
	}
}

func get(t *testing.T, address string) *http.Response {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	return r
}
