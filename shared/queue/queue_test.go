package queue_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/queue"
)

func services(t *testing.T) *inmemory.Services {
	t.Helper()
	s, err := inmemory.New(time.Now, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// message is the n-th event for a connection.
func message(connection string, n int) delivery.Message {
	id := fmt.Sprintf("dlv_%s_%d", connection, n)
	return delivery.Message{Delivery: delivery.Delivery{ID: id, EventID: fmt.Sprint("e", n), AccountID: "a1", ConnectionID: connection,
		Action: event.OrderComplete, OrderID: "o1", CreatedAt: time.UnixMilli(1795421100000).UTC(), Body: []byte(`{"n":` + fmt.Sprint(n) + `,"name":"Курс «Go»"}`)}}
}

// receive takes what is visible: bodies with the group before them, and receipt handles.
func receive(t *testing.T, s *inmemory.Services, url string) (all []types.Message) {
	t.Helper()
	for {
		out, err := s.Queues(nil).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		all = append(all, out.Messages...)
	}
}

func handlesOf(messages []types.Message) (handles []string) {
	for _, m := range messages {
		handles = append(handles, *m.ReceiptHandle)
	}
	return handles
}

func TestMessagesArriveWholeInOrderAndOnce(t *testing.T) {
	s := services(t)
	q := queue.New(s.Queues(nil), s.Deliveries)
	var sent []delivery.Message
	for n := range 7 { // two calls, each with both connections
		sent = append(sent, message("con_1", n), message("con_2", n))
	}
	for range 2 { // the same again is not queued again
		if err := q.SendMessages(t.Context(), sent); err != nil {
			t.Fatal(err)
		}
	}
	next := map[string]int{}
	var last = map[string]string{}
	for done := 0; done < len(sent); {
		got := receive(t, s, s.Deliveries)
		if len(got) == 0 {
			t.Fatalf("%d of %d messages came", done, len(sent))
		}
		for _, m := range got {
			group := m.Attributes["MessageGroupId"]
			decoded, token, err := delivery.Decode(*m.Body)
			if err != nil || token != nil {
				t.Fatalf("%q: %v", *m.Body, err)
			}
			want := message(group, next[group]).Delivery
			if d := decoded.Delivery; d.ID != want.ID || d.OrderID != want.OrderID || d.Action != want.Action || string(d.Body) != string(want.Body) || !d.CreatedAt.Equal(want.CreatedAt) {
				t.Errorf("%s: got %+v, want %+v", group, d, want)
			}
			sequence := m.Attributes["SequenceNumber"]
			if sequence == "" || len(sequence) == len(last[group]) && sequence <= last[group] {
				t.Errorf("%s: sequence %s after %s", group, sequence, last[group])
			}
			last[group] = sequence
			next[group]++
		}
		if err := q.Delete(t.Context(), handlesOf(got)); err != nil {
			t.Fatal(err)
		}
		done += len(got)
	}
	if next["con_1"] != 7 || next["con_2"] != 7 {
		t.Errorf("came %v", next)
	}
	if left := receive(t, s, s.Deliveries); len(left) != 0 {
		t.Errorf("%d messages are left", len(left))
	}
}

func TestARetryIsAMessageOfItsOwn(t *testing.T) {
	s := services(t)
	q := queue.New(s.Queues(nil), s.Deliveries)
	first, again := message("con_1", 1), message("con_1", 1)
	again.Retry = "retry-1"
	if err := q.SendMessages(t.Context(), []delivery.Message{first, again}); err != nil {
		t.Fatal(err)
	}
	var retries []string
	for _, m := range receive(t, s, s.Deliveries) {
		decoded, _, err := delivery.Decode(*m.Body)
		if err != nil {
			t.Fatal(err)
		}
		retries = append(retries, decoded.Retry)
	}
	if !slices.Equal(retries, []string{"", "retry-1"}) {
		t.Errorf("got the retries %q", retries)
	}
}

func TestAGroupWaitsForItsHeadAndComesBack(t *testing.T) {
	s := services(t)
	q := queue.New(s.Queues(nil), s.Deliveries)
	if err := q.SendMessages(t.Context(), []delivery.Message{message("con_1", 1)}); err != nil {
		t.Fatal(err)
	}
	head := receive(t, s, s.Deliveries)
	if err := q.SendMessages(t.Context(), []delivery.Message{message("con_1", 2), message("con_2", 1)}); err != nil {
		t.Fatal(err)
	}
	others := receive(t, s, s.Deliveries)
	if len(head) != 1 || len(others) != 1 || others[0].Attributes["MessageGroupId"] != "con_2" {
		t.Fatalf("%d in flight, then %d came: one group does not wait, or holds up the other", len(head), len(others))
	}
	if err := q.Delay(t.Context(), handlesOf(head), 0); err != nil {
		t.Fatal(err)
	}
	back := receive(t, s, s.Deliveries)
	if len(back) != 2 || *back[0].Body != *head[0].Body || back[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("%d came back", len(back))
	}
	if err := q.Delay(t.Context(), handlesOf(back), time.Hour); err != nil {
		t.Fatal(err)
	}
	if early := receive(t, s, s.Deliveries); len(early) != 0 {
		t.Errorf("%d messages came an hour early", len(early))
	}
}

func TestManyHandlesTakeTheirTens(t *testing.T) {
	s := services(t)
	q := queue.New(s.Queues(nil), s.Deliveries)
	var sent []delivery.Message
	for n := range 23 {
		sent = append(sent, message(fmt.Sprint("con_", n), 1))
	}
	if err := q.SendMessages(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	all := receive(t, s, s.Deliveries)
	if len(all) != 23 {
		t.Fatalf("%d came", len(all))
	}
	if err := q.Delay(t.Context(), handlesOf(all), 0); err != nil {
		t.Fatal(err)
	}
	all = receive(t, s, s.Deliveries)
	if len(all) != 23 {
		t.Fatalf("%d came back", len(all))
	}
	if err := q.Delete(t.Context(), handlesOf(all)); err != nil {
		t.Fatal(err)
	}
	if left := receive(t, s, s.Deliveries); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
}

func TestATokenIsWokenByItsHandle(t *testing.T) {
	s := services(t)
	tokens := queue.Tokens{Queue: queue.New(s.Queues(nil), s.Retries)}
	token := delivery.Token{AccountID: "a1", ConnectionID: "con_1"}
	for range 2 { // each is a message of its own
		if err := tokens.Send(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	asleep := receive(t, s, s.Retries)
	if len(asleep) != 2 || *asleep[0].Body != token.Encode() {
		t.Fatalf("%d tokens came", len(asleep))
	}
	if err := tokens.Delete(t.Context(), handlesOf(asleep[1:])); err != nil {
		t.Fatal(err)
	}
	asleep = asleep[:1]
	if err := tokens.Delay(t.Context(), handlesOf(asleep), 12*time.Hour-time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := tokens.Wake(t.Context(), *asleep[0].ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	awake := receive(t, s, s.Retries)
	if len(awake) != 1 || *awake[0].MessageId != *asleep[0].MessageId {
		t.Fatalf("%d tokens awake", len(awake))
	}
	// A token that is awake, or gone, cannot be woken; nothing is wrong about that.
	if err := tokens.Delete(t.Context(), handlesOf(awake)); err != nil {
		t.Fatal(err)
	}
	for _, handle := range []string{*asleep[0].ReceiptHandle, *awake[0].ReceiptHandle, "no-handle-at-all"} {
		if err := tokens.Wake(t.Context(), handle); err != nil {
			t.Errorf("waking %.20s…: %v", handle, err)
		}
	}
}

func TestPutKeepsTheTextAsItCame(t *testing.T) {
	s := services(t)
	q := queue.New(s.Queues(nil), s.DeadLetters)
	text := "not a message of ours: «" + strings.Repeat("ё", 1000) + "»"
	for range 2 {
		if err := q.Put(t.Context(), text, "con_1", "m1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := receive(t, s, s.DeadLetters); len(got) != 1 || *got[0].Body != text {
		t.Errorf("%d letters", len(got))
	}
}

// refusing answers some calls as a service in trouble would.
type refusing struct {
	next  http.RoundTripper
	after int
}

func (r *refusing) RoundTrip(q *http.Request) (*http.Response, error) {
	if r.after--; r.after < 0 {
		return nil, errors.New("no route to the service")
	}
	return r.next.RoundTrip(q)
}

func TestWhatCouldNotBeQueuedIsToldAndCanBeRepeated(t *testing.T) {
	s := services(t)
	var sent []delivery.Message
	for n := range 12 {
		sent = append(sent, message("con_1", n))
	}
	broken := queue.New(s.Queues(func(next http.RoundTripper) http.RoundTripper { return &refusing{next, 1} }), s.Deliveries)
	if err := broken.SendMessages(context.WithoutCancel(t.Context()), sent); err == nil {
		t.Fatal("two messages were lost in silence")
	}
	if err := queue.New(s.Queues(nil), s.Deliveries).SendMessages(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	var all []types.Message
	for {
		got := receive(t, s, s.Deliveries)
		if len(got) == 0 {
			break
		}
		all = append(all, got...)
		if err := queue.New(s.Queues(nil), s.Deliveries).Delete(t.Context(), handlesOf(got)); err != nil {
			t.Fatal(err)
		}
	}
	for n, m := range all {
		decoded, _, err := delivery.Decode(*m.Body)
		if err != nil || decoded.Delivery.EventID != fmt.Sprint("e", n) {
			t.Errorf("place %d has %s (%v)", n, decoded.Delivery.EventID, err)
		}
	}
	if len(all) != 12 {
		t.Errorf("%d messages, want 12", len(all))
	}
}
