package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// api speaks to the public API.
type api struct {
	settings
	http   *http.Client
	sample map[string]any // the action's data
}

// posted is an event that was accepted.
type posted struct {
	ID         string
	Order      string
	Took       time.Duration // until it was accepted
	Deliveries []struct {
		ID           string
		ConnectionID string `json:"connection_id"`
	}
}

// delivery is what the log says of one.
type delivery struct {
	ID, Status string
	CreatedAt  time.Time `json:"created_at"`
	AttemptLog []struct {
		At         time.Time
		Status     *int
		Error      *string
		DurationMS int64 `json:"duration_ms"`
	} `json:"attempts_log"`
}

// took is the time from acceptance to the last answer, both by the service's clock.
func (d delivery) took() time.Duration {
	if len(d.AttemptLog) == 0 {
		return 0
	}
	last := d.AttemptLog[len(d.AttemptLog)-1]
	return max(0, last.At.Sub(d.CreatedAt)+time.Duration(last.DurationMS)*time.Millisecond)
}

// over tells whether nothing more happens by itself.
func (d delivery) over() bool { return d.Status != "" && d.Status != "waiting" }

// connect reads the action's sample.
func connect(ctx context.Context, s settings) (*api, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = s.parallel
	a := &api{settings: s, http: &http.Client{Transport: t, Timeout: 35 * time.Second}}
	a.url = strings.TrimSuffix(a.url, "/")
	var list struct {
		Triggers []struct {
			Action string
			Sample struct{ Data map[string]any }
		}
	}
	if _, err := a.call(ctx, http.MethodGet, "/v1/triggers", nil, &list); err != nil {
		return nil, err
	}
	var names []string
	for _, trigger := range list.Triggers {
		if trigger.Action == s.action {
			a.sample = trigger.Sample.Data
			return a, nil
		}
		names = append(names, trigger.Action)
	}
	return nil, fmt.Errorf("there is no action %q; there are %s", s.action, strings.Join(names, ", "))
}

// post posts the sample as a new event of a new order.
func (a *api) post(ctx context.Context) (posted, error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails, by its documentation
	n := binary.BigEndian.Uint64(random[:])
	order := json.Number(strconv.FormatUint(1_000_000_000+n%9_000_000_000, 10))
	event := map[string]any{"id": fmt.Sprintf("send-%x", random), "account_id": a.account,
		"occurred_at": time.Now().UTC().Format(time.RFC3339Nano), "data": withOrder(a.sample, order)}
	var p posted
	began := time.Now()
	status, err := a.call(ctx, http.MethodPost, "/v1/events", event, &p)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("POST /v1/events: %d", status)
	}
	p.Took, p.Order = time.Since(began), order.String()
	return p, err
}

// withOrder copies a sample with another order in every place that names it.
func withOrder(data map[string]any, order json.Number) map[string]any {
	out := make(map[string]any, len(data))
	for name, value := range data {
		switch v := value.(type) {
		case map[string]any:
			v = withOrder(v, order)
			if name == "order" {
				v["id"] = order
			}
			value = v
		case []any:
			list := make([]any, len(v))
			for i, each := range v {
				if list[i] = each; each != nil {
					if m, ok := each.(map[string]any); ok {
						list[i] = withOrder(m, order)
					}
				}
			}
			value = list
		}
		if name == "order_id" {
			value = order
		}
		out[name] = value
	}
	return out
}

// await asks for a delivery until nothing more happens to it, or until patience ends; changed is told of every new state.
func (a *api) await(ctx context.Context, connection, id string, changed func(delivery)) (delivery, error) {
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	path := "/v1/accounts/" + a.account + "/connections/" + connection + "/deliveries/" + id
	var d delivery
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		var now delivery
		status, err := a.call(ctx, http.MethodGet, path, nil, &now)
		if err != nil && status != http.StatusNotFound { // it enters the log with its first attempt
			if ctx.Err() != nil {
				return d, nil
			}
			return d, err
		}
		if status == http.StatusOK && (now.Status != d.Status || len(now.AttemptLog) != len(d.AttemptLog)) {
			d = now
			changed(d)
		}
		if d.over() {
			return d, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return d, nil
		}
	}
}

// maxTries is how often a request is repeated that the API asks to repeat.
const maxTries = 8

// call makes a request; what is turned away for a moment (429, 503) is repeated as the API says, then more and more rarely.
func (a *api) call(ctx context.Context, method, path string, body, out any) (status int, err error) {
	var content []byte
	if body != nil {
		if content, err = json.Marshal(body); err != nil {
			return 0, err
		}
	}
	for try, pause := 1, time.Second; ; try, pause = try+1, 2*pause {
		status, wait, err := a.once(ctx, method, path, content, out)
		if again := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable; !again || try == maxTries {
			return status, err
		}
		select {
		case <-time.After(max(wait, pause)):
		case <-ctx.Done():
			return status, ctx.Err()
		}
	}
}

func (a *api) once(ctx context.Context, method, path string, content []byte, out any) (status int, wait time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(content))
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Authorization", "Bearer "+a.key)
	if content != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := a.http.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, 0, err
	}
	if response.StatusCode >= 300 {
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		var problem struct{ Detail, Message string }
		_ = json.Unmarshal(text, &problem) // what is no JSON has nothing to say
		return response.StatusCode, time.Duration(seconds) * time.Second,
			fmt.Errorf("%s %s: %d %s%s", method, path, response.StatusCode, problem.Detail, problem.Message)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return response.StatusCode, 0, d.Decode(out)
}
