package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// academy is the Academy as the API sees it.
type academy struct {
	url, key string
	accepted atomic.Int64

	connections []string // ids
	mu          sync.Mutex
	events      []posted
}

// posted is one accepted event; those of one order are in the order of their acceptance.
type posted struct {
	delivery          string
	connection, order int
	at                time.Time // of the acceptance
}

func account(n int) string { return fmt.Sprintf("chaos-%d", n) }

var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// call makes one request. status is 0 when there was no answer.
func (a *academy) call(ctx context.Context, method, path string, in, out any) (status int, err error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, body)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode/100 != 2 {
		return res.StatusCode, fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, strings.TrimSpace(string(b)))
	}
	if out == nil {
		return res.StatusCode, nil
	}
	return res.StatusCode, json.Unmarshal(b, out)
}

func (a *academy) connect(ctx context.Context, n int, receiver string) error {
	var c struct{ ID string }
	_, err := a.call(ctx, "POST", "/v1/accounts/"+account(n)+"/connections", map[string]any{
		"webhook_url": fmt.Sprintf("%s/r/%d/", receiver, n), "actions": []string{"order_update"}, "enabled": true}, &c)
	a.connections = append(a.connections, c.ID)
	return err
}

// postAll posts all events: each client has orders of its own and posts an order's events one after another.
func (a *academy) postAll(ctx context.Context, o options) error {
	var (
		clients sync.WaitGroup
		failed  = make(chan error, o.clients)
	)
	for k := range o.clients {
		clients.Go(func() {
			for n := k; n < o.events; n += o.clients {
				connection := n / o.clients % o.connections
				if err := a.post(ctx, n, connection, n%(o.clients*o.connections*3)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	clients.Wait()
	close(failed)
	return <-failed
}

// post posts one event, again until it is accepted: the answer 500 of a killed process, or none, promises nothing.
func (a *academy) post(ctx context.Context, n, connection, order int) error {
	event := map[string]any{"id": fmt.Sprintf("chaos-%d", n), "account_id": account(connection), "occurred_at": time.Now().UTC().Format(time.RFC3339Nano),
		"data": map[string]any{"action": "order_update", "order": map[string]any{"id": order}, "n": n}}
	for {
		var answer struct{ Deliveries []struct{ ID string } }
		status, err := a.call(ctx, "POST", "/v1/events", event, &answer)
		if err == nil {
			a.mu.Lock()
			a.events = append(a.events, posted{answer.Deliveries[0].ID, connection, order, time.Now()})
			a.mu.Unlock()
			a.accepted.Add(1)
			return nil
		}
		if ctx.Err() != nil || status != 0 && status < 500 {
			return err
		}
	}
}
