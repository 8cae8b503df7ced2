package local_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// private collects what must stand in no log line.
type private struct {
	words []string
	forms [][]string // of each word, in lower case
}

// add takes texts long enough to be found by no accident.
func (p *private) add(texts ...string) {
	for _, s := range texts {
		if utf8.RuneCountInString(s) < 4 || slices.Contains(p.words, s) {
			continue
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			panic(err) // strings always marshal
		}
		var forms []string
		for _, form := range []string{s, strings.Trim(string(quoted), `"`), url.QueryEscape(s), url.PathEscape(s)} {
			if form = strings.ToLower(form); !slices.Contains(forms, form) {
				forms = append(forms, form)
			}
		}
		p.words, p.forms = append(p.words, s), append(p.forms, forms)
	}
}

// addLeaves takes every text of a JSON value: names, addresses, phones, titles.
func (p *private) addLeaves(value any) {
	switch v := value.(type) {
	case string:
		p.add(v)
	case []any:
		for _, e := range v {
			p.addLeaves(e)
		}
	case map[string]any:
		for name, e := range v {
			if name != "action" {
				p.addLeaves(e)
			}
		}
	}
}

// addToken takes a token whole and, of a JWT, each part.
func (p *private) addToken(token string) {
	p.add(token)
	p.add(strings.Split(token, ".")...)
}

// found are the private words that a text has, in any of the forms in which it could have come there.
func (p *private) found(text string) (out []string) {
	text = strings.ToLower(text)
	for i, forms := range p.forms {
		if slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(text, form) }) {
			out = append(out, p.words[i])
		}
	}
	return out
}

// Every line that the stack writes, at the most talkative level, through a whole life: deliveries that succeed, fail, are
// retried and given up, a test, a page session, tokens, secrets in places where they do not belong, a broken table. None
// has a link's token, a secret, a key, a token, or anything of the events.
func TestNothingPrivateIsLogged(t *testing.T) {
	const key = "key-of-the-academy-0123456789abcdef0123456789abc"
	s := localtest.Start(t, local.Options{APIKey: key, Parameters: map[string]string{"RetrySchedule": "1s", "LogLevel": "debug"}})
	p := &private{}
	p.add(key)
	events := samples(t)
	for _, e := range events {
		var data any
		if err := json.Unmarshal(e.Data, &data); err != nil {
			t.Fatal(err)
		}
		p.addLeaves(data)
		p.add("order_tickets", string(e.Data[:40]))
	}
	if len(p.words) < 20 {
		t.Fatalf("the samples have only %d texts", len(p.words))
	}
	account := events[0].AccountID
	good, bad := live(t, s, p, account, events)
	misplace(t, s, p, account, good)
	breakDown(t, s, account, good, bad, events)

	lines := strings.Split(s.Log.String(), "\n")
	if len(lines) < 50 {
		t.Fatalf("only %d lines were written", len(lines))
	}
	for _, want := range []string{"delivery attempted", `"connection.failing"`, `"connection.suspended"`, "event accepted", `"level":"ERROR"`, "fault while"} {
		if !strings.Contains(s.Log.String(), want) {
			t.Errorf("no line has %s: this run proves too little", want)
		}
	}
	for _, line := range lines {
		if found := p.found(line); len(found) > 0 {
			t.Errorf("%q in\n%s", found, line)
		}
	}
}

// live is what happens to everybody: two links, one of which works and one of which repeats what it gets and refuses it.
func live(t *testing.T, s *localtest.Stack, p *private, account string, events []sample) (good, bad string) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Location", "http://"+r.Host+r.URL.String())
		w.Header().Set("Retry-After", "anna@example.com")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(body)
	}))
	t.Cleanup(echo.Close)
	connect := func(link string) string {
		var made struct {
			ID     string
			Secret string `json:"signing_secret"`
		}
		s.Must(201, "POST", "/v1/accounts/"+account+"/connections", map[string]any{"webhook_url": link, "enabled": true, "name": "Сделки Марии",
			"actions": []string{"order_create", "order_update", "order_complete", "order_ticket_create", "order_ticket_update", "order_ticket_cancel"}}, &made)
		p.add(made.Secret, strings.TrimPrefix(made.Secret, "whsec_"), "Сделки Марии")
		return "/v1/accounts/" + account + "/connections/" + made.ID
	}
	const token = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_Qk9Qw"
	p.add(token, token[:20])
	good, bad = connect(s.Link("1lfGood/"+token)), connect(echo.URL+"/wh/38/1lfBad/"+token+"/?key="+token)
	for _, e := range events {
		s.Must(202, "POST", "/v1/events", e.file, nil)
	}
	s.Arrivals("1lfGood/"+token, len(events))
	s.Must(200, "POST", good+"/test", map[string]any{"action": "order_complete"}, nil)
	s.Must(200, "POST", bad+"/test", map[string]any{"action": "order_complete"}, nil)
	s.Eventually("the connection is given up", func() bool {
		var c struct{ Health struct{ State string } }
		s.Must(200, "GET", bad, nil, &c)
		return c.Health.State == "suspended"
	})
	s.Must(202, "POST", bad+"/resume", nil, nil)
	var made struct {
		URL, Token, SigningSecret string
		Secret                    string `json:"signing_secret"`
	}
	s.Must(200, "POST", good+"/secret/rotate", nil, &made)
	p.add(made.Secret, strings.TrimPrefix(made.Secret, "whsec_"))
	s.Must(201, "POST", "/v1/accounts/"+account+"/page-sessions", nil, &made)
	_, session, _ := strings.Cut(made.URL, "#token=")
	p.addToken(session)
	s.Must(201, "POST", "/v1/accounts/"+account+"/tokens", map[string]any{"name": "Мария из отдела продаж"}, &made)
	p.addToken(made.Token)
	p.add("Мария из отдела продаж")
	s.Must(200, "GET", "/v1/accounts/"+account, nil, nil, "Authorization", "Bearer "+made.Token)
	s.Must(200, "GET", good, nil, nil, "Authorization", "Bearer "+session)
	s.Must(200, "DELETE", "/v1/accounts/"+account+"/orders/none/deliveries", nil, nil)
	return good, bad
}

// misplace sends every private text in places where none belongs.
func misplace(t *testing.T, s *localtest.Stack, p *private, account, one string) {
	t.Helper()
	for _, secret := range p.words {
		if strings.ContainsAny(secret, " \n") || strings.Contains(secret, "://") {
			continue // of the events' texts names, addresses and phones do
		}
		q := url.QueryEscape(secret)
		below := "/v1/accounts/" + url.PathEscape(secret)
		for _, path := range []string{one + "?api_key=" + q, one + "?" + q, one + "/deliveries?cursor=" + q, one + "/deliveries/" + url.PathEscape(secret),
			below, below + "/connections", "/page/" + url.PathEscape(secret) + "/page.js", "/page?token=" + q, "/healthz?token=" + q, "/" + url.PathEscape(secret)} {
			header := []string{"If-Match", q, "User-Agent", q, "Referer", "https://example.com/?" + q, "Cookie", "session=" + q, "X-Forwarded-For", q,
				"Traceparent", q, "If-None-Match", q}
			if strings.HasPrefix(secret, "eyJ") || strings.HasPrefix(secret, "alb_") || secret == s.APIKey {
				header = append(header, "X-Request-Id", secret) // what has the form of an id is logged, but for tokens
			}
			if r := s.Do("GET", path, nil, header...); r.Status >= 500 {
				t.Errorf("%s: %d %s", path, r.Status, r.Body)
			}
			s.Do("GET", path, nil, "Authorization", "Bearer "+q)
		}
		named := map[string]any{secret: secret, "id": secret, "account_id": secret, "occurred_at": secret, "webhook_url": secret, "name": []string{secret},
			"data": map[string]any{"action": secret, "order": secret}}
		for _, to := range [][2]string{{"POST", "/v1/events"}, {"POST", "/v1/accounts/" + account + "/connections"}, {"PATCH", one}, {"POST", one + "/test"}, {"POST", one + "/replay"}} {
			if r := s.Do(to[0], to[1], named); r.Status < 400 || r.Status >= 500 {
				t.Errorf("%s %s: %d %s", to[0], to[1], r.Status, r.Body)
			}
			s.Do(to[0], to[1], `{"`+secret, "Content-Type", "application/json")
			s.Do(to[0], to[1], secret, "Content-Type", "text/plain; "+q)
		}
	}
}

// breakDown takes the table away: now everything that is asked for, and the sender's own work, fails inside.
func breakDown(t *testing.T, s *localtest.Stack, account, good, bad string, events []sample) {
	t.Helper()
	call(t, s, "AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810.DeleteTable", map[string]string{"TableName": s.Tables["Table"]}, nil)
	s.Must(503, "POST", "/v1/events", events[0].file, nil)
	for _, path := range []string{good, bad} {
		s.Must(503, "GET", path, nil, nil)
		s.Must(503, "PATCH", path, map[string]any{"webhook_url": s.Link("1lfNew/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_Qk9Qw"), "name": "Сделки Марии"}, nil)
		s.Must(503, "POST", path+"/test", map[string]any{"action": "order_complete"}, nil)
	}
	s.Must(503, "POST", "/v1/accounts/"+account+"/connections", map[string]any{"webhook_url": s.Link("1lfNew/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_Qk9Qw")}, nil)
	// The sender gets what it cannot look up, and what it cannot read.
	for i, body := range []string{queued(t, account, good, events[0]), string(events[0].file)} {
		call(t, s, "AWS_ENDPOINT_URL_SQS", "AmazonSQS.SendMessage", map[string]string{"MessageBody": body, "MessageGroupId": strconv.Itoa(i), "MessageDeduplicationId": "d",
			"QueueUrl": s.SQS.QueueURL(s.Endpoints["AWS_ENDPOINT_URL_SQS"], s.Queues["DeliveriesQueue"])}, nil)
	}
	s.Log.Wait(t, func(text string) bool { return strings.Contains(text, "fault while reading") })
	s.Eventually("a dead letter", func() bool {
		c, err := s.SQS.Counts(s.Queues["DeadLettersQueue"])
		return err == nil && c.Visible == 1
	})
}

// queued is an event as the intake queues it.
func queued(t *testing.T, account, connection string, e sample) string {
	t.Helper()
	id := connection[strings.LastIndexByte(connection, '/')+1:]
	text, err := delivery.Message{Delivery: delivery.Delivery{ID: "dlv_01M84E06AGT9S11Y3VBGZJ52N9", EventID: e.ID, AccountID: account, ConnectionID: id,
		Action: "order_create", OrderID: "9840012", CreatedAt: time.Now(), Body: []byte(e.body())}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
