package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local/sqs"
	"pgregory.net/rapid"
)

// handle is a receipt handle seen in a history, with what it stands for.
type handle struct {
	text    string
	message *modelMessage
	nth     int
}

// code is what an operation on the handle must answer, "" for success.
func (h handle) code(deleting bool) string {
	switch {
	case h.message.gone && deleting:
		return ""
	case h.message.gone || h.nth != h.message.receives || !h.message.inFlight:
		return "InvalidParameterValue"
	}
	return ""
}

// history runs one random history against the server and the model.
type history struct {
	*rapid.T
	model   *model
	server  *sqs.Server
	clock   time.Time
	handles []handle
	sent    int
}

// In no history does the real queue differ from the naive one: in what a receive
// returns and in which order, in what a handle is still good for, in what waits.
// So order within a group is kept, no blocked group is received from, the longest
// waiting group comes first and nothing is lost or invented.
func TestFIFOAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := &history{T: r, clock: time.Unix(1_795_000_000, 0)}
		h.model = &model{visibility: 30 * time.Second, retention: 20 * time.Minute, maxReceives: rapid.IntRange(1, 4).Draw(r, "maxReceives"), perGroup: rapid.Bool().Draw(r, "perGroup")}
		h.server = sqs.New(sqs.Options{Now: func() time.Time { return h.clock }})
		dead, err := h.server.CreateQueue("dead.fifo", fifo())
		h.check(err)
		scope := map[bool]string{true: "messageGroup", false: "queue"}[h.model.perGroup]
		_, err = h.server.CreateQueue("q.fifo", fifo("MessageRetentionPeriod", "1200", "DeduplicationScope", scope,
			"RedrivePolicy", fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%d}`, dead, h.model.maxReceives)))
		h.check(err)
		r.Repeat(map[string]func(*rapid.T){
			"send":      func(t *rapid.T) { h.T = t; h.send() },
			"send more": func(t *rapid.T) { h.T = t; h.send() },
			"receive":   func(t *rapid.T) { h.T = t; h.receive(rapid.IntRange(1, 10).Draw(t, "max")) },
			"delete":    func(t *rapid.T) { h.T = t; h.delete() },
			"hide":      func(t *rapid.T) { h.T = t; h.hide() },
			"elapse": func(t *rapid.T) {
				h.T = t
				h.elapse(rapid.SampledFrom([]time.Duration{time.Second, 7 * time.Second, 29 * time.Second, time.Minute, 4 * time.Minute, 9 * time.Minute}).Draw(t, "time"))
			},
			"": func(t *rapid.T) { h.T = t; h.compare() },
		})
		h.T = r
		h.drain()
	})
}

func (h *history) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *history) elapse(d time.Duration) {
	h.clock = h.clock.Add(d)
	h.model.elapse(d)
	// The queue learns of the time by the next call: one here, as the model does.
	_, err := h.server.Counts("q.fifo")
	h.check(err)
}

// send is a batch of one to three messages.
func (h *history) send() {
	n := rapid.IntRange(1, 3).Draw(h.T, "batch")
	var entries []string
	var want []*modelMessage
	for i := range n {
		h.sent++
		group, dedup, body := rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(h.T, "group"), fmt.Sprint(h.sent), fmt.Sprint("m", h.sent)
		if h.sent > 1 && rapid.IntRange(0, 4).Draw(h.T, "repeat") == 0 {
			dedup = fmt.Sprint(rapid.IntRange(1, h.sent-1).Draw(h.T, "of"))
		}
		entries = append(entries, fmt.Sprintf(`{"Id":"%d","MessageBody":"%s","MessageGroupId":"%s","MessageDeduplicationId":"%s"}`, i, body, group, dedup))
		want = append(want, h.model.send(group, dedup, body))
	}
	_, out := raw(h.server, "SendMessageBatch", `{"QueueUrl":"http://sqs.test/000000000000/q.fifo","Entries":[`+strings.Join(entries, ",")+`]}`)
	results, _ := out["Successful"].([]any)
	if len(results) != n {
		h.Fatalf("sent %v", out)
	}
	for i, x := range want {
		id := results[i].(map[string]any)["MessageId"].(string)
		if x.id == "" {
			x.id = id
		} else if x.id != id {
			h.Fatalf("%s is a duplicate of %s and got another MessageId", results[i], x.body)
		}
	}
}

func (h *history) receive(max int) []sqs.Message {
	want := h.model.receive(max)
	got, err := h.server.Receive(context.Background(), "q.fifo", max, 0)
	h.check(err)
	var gotText, wantText []string
	for _, m := range got {
		gotText = append(gotText, fmt.Sprintf("%s of %s, %d", m.Body, m.GroupID, m.ReceiveCount))
	}
	for _, x := range want {
		wantText = append(wantText, fmt.Sprintf("%s of %s, %d", x.body, x.group, x.receives))
	}
	if !slices.Equal(gotText, wantText) {
		h.Fatalf("received %q, want %q", gotText, wantText)
	}
	for i, m := range got {
		h.handles = append(h.handles, handle{m.ReceiptHandle, want[i], want[i].receives})
	}
	return got
}

func (h *history) wantCode(err error, want string) {
	h.Helper()
	got := ""
	if fault := new(sqs.Error); errors.As(err, &fault) {
		got = fault.Code
	}
	if got != want {
		h.Fatalf("error %v, want %q", err, want)
	}
}

func (h *history) pick() handle {
	if len(h.handles) == 0 {
		h.Skip("no handle yet")
	}
	return h.handles[rapid.IntRange(max(0, len(h.handles)-12), len(h.handles)-1).Draw(h.T, "handle")]
}

func (h *history) delete() {
	x := h.pick()
	want := x.code(true)
	h.wantCode(h.server.Delete("q.fifo", x.text), want)
	if want == "" && !x.message.gone {
		h.model.drop(x.message)
	}
}

func (h *history) hide() {
	x := h.pick()
	d := rapid.SampledFrom([]time.Duration{0, 0, 5 * time.Second, 2 * time.Minute, 12 * time.Hour}).Draw(h.T, "visibility")
	want := x.code(false)
	if want == "" && h.model.now+d-x.message.received > 12*time.Hour {
		want = "InvalidParameterValue"
	}
	h.wantCode(h.server.ChangeVisibility("q.fifo", d, x.text), want)
	if want == "" {
		x.message.until, x.message.inFlight = h.model.now+d, d > 0
		h.model.update(x.message.group)
	}
}

func (h *history) compare() {
	n, err := h.server.Counts("q.fifo")
	h.check(err)
	if want := h.model.counts(); n != want {
		h.Fatalf("counts %+v, want %+v", n, want)
	}
}

// drain empties the queue within the retention: what is left is what the model
// has left, and the dead letters are the model's.
func (h *history) drain() {
	for h.model.counts() != (sqs.Counts{}) {
		for {
			ms := h.receive(10)
			if len(ms) == 0 {
				break
			}
			for _, x := range h.handles[len(h.handles)-len(ms):] {
				h.check(h.server.Delete("q.fifo", x.text))
				h.model.drop(x.message)
			}
		}
		h.elapse(time.Minute)
	}
	h.compare()
	inOrder := map[string]int{}
	for {
		ms, err := h.server.Receive(context.Background(), "dead.fifo", 10, 0)
		h.check(err)
		if len(ms) == 0 {
			break
		}
		for _, m := range ms {
			at := slices.Index(h.model.dead, m.Body)
			if last, seen := inOrder[m.GroupID]; at < 0 || seen && at < last {
				h.Fatalf("dead letter %s of %s is unknown, twice there or out of order: %q", m.Body, m.GroupID, h.model.dead)
			}
			inOrder[m.GroupID] = at
			h.model.dead[at] = ""
			h.check(h.server.Delete("dead.fifo", m.ReceiptHandle))
		}
	}
	if left := strings.Join(h.model.dead, ""); left != "" {
		h.Fatalf("dead letters lost: %q", h.model.dead)
	}
}
