// Command smoke tries a live stack from end to end, as an organiser and the Academy would: connect, test, post an event, see
// it delivered, and erase everything again. It needs the address, the API key and a link of Albato's that is meant for it.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	var s smoke
	flag.StringVar(&s.url, "url", "", "address of the API: the stack's output ApiUrl, or http://127.0.0.1:8080")
	flag.StringVar(&s.link, "link", "", "link to send to: one of Albato's that is meant for tests (with make run: its stand-in)")
	flag.DurationVar(&s.patience, "patience", time.Minute, "how long the event may take")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "make smoke URL=https://….amazonaws.com KEY=<api key> LINK=<a test link of Albato's>\n\nThe key is read from the environment variable API_KEY.\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s.key, s.out = cmp.Or(os.Getenv("API_KEY"), "local-key"), os.Stdout
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "smoke:", err)
		stop()
		os.Exit(1)
	}
}

type smoke struct {
	url, key, link string
	patience       time.Duration
	out            io.Writer
}

func (s *smoke) run(ctx context.Context) (err error) {
	s.url = strings.TrimSuffix(s.url, "/")
	local := strings.HasPrefix(s.url, "http://127.0.0.1:") || strings.HasPrefix(s.url, "http://localhost:")
	switch {
	case s.url == "":
		return fmt.Errorf("no address: make smoke URL=… KEY=… LINK=…")
	case s.link == "" && !local:
		return fmt.Errorf("no link: give LINK=, the Webhook of a связка at Albato that is meant for tests; it gets two requests")
	case s.link == "":
		s.link = s.url + "/albato/wh/38/smoke/" + strings.ToLower(rand.Text()) + "/"
	}
	account := "smoke-" + strings.ToLower(rand.Text()[:10])
	collection := "/v1/accounts/" + account + "/connections"

	var health struct{ Status, Version string }
	if err := s.call(ctx, "GET", "/healthz", nil, 200, &health); err != nil {
		return err
	}
	s.say("alive, version %s", health.Version)

	defer func() {
		// Also after Ctrl-C: nothing of the account is to stay.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if gone := s.call(ctx, "DELETE", "/v1/accounts/"+account, nil, 204, nil); gone != nil {
			err = cmp.Or(err, fmt.Errorf("account %s could not be erased: %w", account, gone))
			return
		}
		s.say("account %s erased", account)
		if err == nil {
			fmt.Fprintln(s.out, "all is well")
		}
	}()
	var connection struct {
		ID string `json:"id"`
	}
	if err := s.call(ctx, "POST", collection, map[string]any{"webhook_url": s.link, "name": "smoke", "actions": []string{"order_complete"}}, 201, &connection); err != nil {
		return err
	}
	path := collection + "/" + connection.ID
	s.say("connected as %s of account %s", connection.ID, account)

	var test struct {
		Delivered  bool    `json:"delivered"`
		Status     int     `json:"status"`
		DurationMS int     `json:"duration_ms"`
		Error      *string `json:"error"`
	}
	if err := s.call(ctx, "POST", path+"/test", map[string]any{"action": "order_complete"}, 200, &test); err != nil {
		return err
	}
	if !test.Delivered {
		return fmt.Errorf("the link did not take a test: status %d, error %v", test.Status, deref(test.Error))
	}
	s.say("test sent: the link answered %d in %d ms", test.Status, test.DurationMS)
	if err := s.call(ctx, "PATCH", path, map[string]any{"enabled": true}, 200, nil); err != nil {
		return err
	}
	s.say("switched on")
	return s.deliver(ctx, account, path)
}

// deliver posts one event twice, as the Academy does when it saw no answer, and waits until it has been delivered once.
func (s *smoke) deliver(ctx context.Context, account, path string) error {
	began := time.Now()
	event := map[string]any{"id": "smoke-" + rand.Text(), "account_id": account, "occurred_at": began.UTC().Truncate(time.Second),
		"data": map[string]any{"action": "order_complete", "order": map[string]any{"id": 1, "is_completed": true}, "order_tickets": []any{}, "smoke": true}}
	var accepted struct {
		Deliveries []struct {
			ID string `json:"id"`
		} `json:"deliveries"`
	}
	for range 2 {
		if err := s.call(ctx, "POST", "/v1/events", event, 202, &accepted); err != nil {
			return err
		}
		if len(accepted.Deliveries) != 1 {
			return fmt.Errorf("accepted for %d connections, want one: the list of connections may be seconds old, try again", len(accepted.Deliveries))
		}
	}
	s.say("event accepted, twice, as one delivery %s", accepted.Deliveries[0].ID)
	var delivery struct {
		Status    string
		Attempts  int
		LastError *string `json:"last_error"`
	}
	for {
		err := s.call(ctx, "GET", path+"/deliveries/"+accepted.Deliveries[0].ID, nil, 200, &delivery)
		if err == nil && delivery.Status == "delivered" {
			break
		}
		if time.Since(began) > s.patience {
			return fmt.Errorf("not delivered after %s: status %q, error %v (%v)", s.patience, delivery.Status, deref(delivery.LastError), err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	if delivery.Attempts != 1 {
		return fmt.Errorf("delivered in %d attempts, want one", delivery.Attempts)
	}
	s.say("delivered once, %d ms after it was posted", time.Since(began).Milliseconds())
	return nil
}

func deref(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}

func (s *smoke) say(format string, args ...any) { fmt.Fprintf(s.out, "ok   "+format+"\n", args...) }

// call makes one request and wants a status. An error names the request and what was answered.
func (s *smoke) call(ctx context.Context, method, path string, in any, status int, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 35*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, &body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != status {
		return fmt.Errorf("%s %s: %s, want %d: %.500s", method, path, response.Status, status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
