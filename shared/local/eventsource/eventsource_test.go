package eventsource_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/local/eventsource"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

// function answers batches as the test says.
type function struct {
	mu      sync.Mutex
	batches []events.SQSEvent
	flying  int
	most    int
	answer  func(events.SQSEvent) (string, error)
}

func (f *function) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	var e events.SQSEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.batches = append(f.batches, e)
	f.flying++
	f.most = max(f.most, f.flying)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.flying--
		f.mu.Unlock()
	}()
	if f.answer == nil {
		return []byte(`{"batchItemFailures":[]}`), nil
	}
	out, err := f.answer(e)
	return []byte(out), err
}

func (f *function) bodies() (out []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.batches {
		for _, r := range b.Records {
			out = append(out, r.Body)
		}
	}
	return out
}

func (f *function) figures() (batches, most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.batches), f.most
}

const queue = "q.fifo"

func newQueue(t *testing.T) *sqs.Server {
	t.Helper()
	q := sqs.New(sqs.Options{Region: "eu-central-1", Account: "123456789012"})
	if _, err := q.CreateQueue(queue, map[string]string{"FifoQueue": "true", "VisibilityTimeout": "120",
		"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}); err != nil {
		t.Fatal(err)
	}
	return q
}

func send(t *testing.T, q http.Handler, group, body string) {
	t.Helper()
	input, err := json.Marshal(map[string]any{"QueueUrl": "http://local/123456789012/" + queue, "MessageBody": body,
		"MessageGroupId": group, "MessageDeduplicationId": group + "-" + strings.Trim(body, `{}":é`),
		"MessageAttributes": map[string]any{"k": map[string]string{"DataType": "String", "StringValue": "v"}}})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", bytes.NewReader(input))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	w := httptest.NewRecorder()
	q.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("SendMessage: %d %s", w.Code, w.Body)
	}
}

// start runs a mapping in the bubble of the test until it ends.
func start(t *testing.T, q *sqs.Server, f *function, change func(*eventsource.Config)) (log *[]string) {
	t.Helper()
	log = new([]string)
	var mu sync.Mutex
	c := eventsource.Config{Name: "M", Queue: queue, QueueARN: "arn:aws:sqs:eu-central-1:123456789012:" + queue, Region: "eu-central-1",
		BatchSize: 10, MaximumConcurrency: 3, ReportBatchItemFailures: true, Visibility: 120 * time.Second, Timeout: 20 * time.Second,
		Log: func(line string) { mu.Lock(); defer mu.Unlock(); *log = append(*log, line) }}
	if change != nil {
		change(&c)
	}
	m, err := eventsource.New(c, q, f)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { m.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
	return log
}

func inFlight(t *testing.T, q *sqs.Server) int {
	t.Helper()
	c, err := q.Counts(queue)
	if err != nil {
		t.Fatal(err)
	}
	return c.InFlight + c.Visible
}

func TestRecordsLookAsOnLambda(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, f := newQueue(t), &function{}
		send(t, q, "con_1", `{"a":"é"}`)
		start(t, q, f, nil)
		if len(f.batches) != 1 || len(f.batches[0].Records) != 1 {
			t.Fatalf("%+v", f.batches)
		}
		r := f.batches[0].Records[0]
		if r.Body != `{"a":"é"}` || r.EventSource != "aws:sqs" || r.EventSourceARN != "arn:aws:sqs:eu-central-1:123456789012:q.fifo" ||
			r.AWSRegion != "eu-central-1" || r.MessageId == "" || r.ReceiptHandle == "" || len(r.Md5OfBody) != 32 {
			t.Errorf("%+v", r)
		}
		a := r.Attributes
		if a["MessageGroupId"] != "con_1" || a["MessageDeduplicationId"] != "con_1-a" || a["ApproximateReceiveCount"] != "1" ||
			len(a["SequenceNumber"]) != 20 || a["SentTimestamp"] != fmt.Sprint(time.Now().UnixMilli()) || a["SenderId"] == "" ||
			a["ApproximateFirstReceiveTimestamp"] == "" {
			t.Errorf("attributes %v", a)
		}
		if m := r.MessageAttributes["k"]; m.StringValue == nil || *m.StringValue != "v" || m.DataType != "String" {
			t.Errorf("message attributes %+v", r.MessageAttributes)
		}
		if inFlight(t, q) != 0 {
			t.Error("the message was not deleted")
		}
	})
}

func TestAnArrivalIsHandedOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, f := newQueue(t), &function{}
		start(t, q, f, nil)
		for i := range 3 {
			before := time.Now()
			send(t, q, "g", fmt.Sprint(i))
			synctest.Wait() // no time passes here
			if got := f.bodies(); len(got) != i+1 || !time.Now().Equal(before) {
				t.Fatalf("after %v: %v", time.Since(before), got)
			}
		}
	})
}

func TestWhatFailedComesBackAfterItsVisibility(t *testing.T) {
	for name, answer := range map[string]func(e events.SQSEvent) (string, error){
		"partial": func(e events.SQSEvent) (string, error) {
			return fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":%q}]}`, e.Records[1].MessageId), nil
		},
		"error":      func(events.SQSEvent) (string, error) { return "", errors.New("crashed") },
		"not JSON":   func(events.SQSEvent) (string, error) { return "oops", nil },
		"unknown id": func(events.SQSEvent) (string, error) { return `{"batchItemFailures":[{"itemIdentifier":"x"}]}`, nil },
		"empty id":   func(events.SQSEvent) (string, error) { return `{"batchItemFailures":[{"itemIdentifier":""}]}`, nil },
		"null id":    func(events.SQSEvent) (string, error) { return `{"batchItemFailures":[{"itemIdentifier":null}]}`, nil },
		"wrong key":  func(events.SQSEvent) (string, error) { return `{"batchItemFailures":[{"id":"x"}]}`, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, f := newQueue(t), &function{}
				first := true
				f.answer = func(e events.SQSEvent) (string, error) {
					if first {
						first = false
						return answer(e)
					}
					return "", nil
				}
				send(t, q, "a", "1")
				send(t, q, "b", "2")
				log := start(t, q, f, nil)
				want := 2
				if name == "partial" {
					want = 1
				} else if len(*log) != 1 {
					t.Errorf("log %v", *log)
				}
				if n := inFlight(t, q); n != want {
					t.Fatalf("%d messages are left, want %d", n, want)
				}
				time.Sleep(119 * time.Second)
				synctest.Wait()
				if len(f.bodies()) != 2 {
					t.Fatalf("early: %v", f.bodies())
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := len(f.bodies()); got != 2+want || inFlight(t, q) != 0 {
					t.Errorf("%v, %d left", f.bodies(), inFlight(t, q))
				}
			})
		})
	}
}

func TestEmptyAnswersMeanSuccess(t *testing.T) {
	for _, answer := range []string{"", "null", "{}", `{"batchItemFailures":null}`, `{"batchItemFailures":[]}`} {
		synctest.Test(t, func(t *testing.T) {
			q, f := newQueue(t), &function{answer: func(events.SQSEvent) (string, error) { return answer, nil }}
			send(t, q, "a", "1")
			start(t, q, f, nil)
			if n := inFlight(t, q); n != 0 {
				t.Errorf("%q: %d left", answer, n)
			}
		})
	}
}

func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		f := &function{answer: func(events.SQSEvent) (string, error) { time.Sleep(10 * time.Second); return "", nil }}
		start(t, q, f, nil)
		for i := range 8 {
			send(t, q, fmt.Sprint("group", i), "x")
			synctest.Wait()
			time.Sleep(time.Second) // longer than Patience: every batch hangs
		}
		synctest.Wait()
		if _, most := f.figures(); most != 3 {
			t.Errorf("%d batches were in flight at once, want 3", most)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := inFlight(t, q); n != 0 {
			t.Errorf("%d left", n)
		}
	})
}

// While the function is busy for moments only, messages gather to fuller batches; a batch that hangs is no hindrance.
func TestBusyMomentsMakeFullerBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		f := &function{answer: func(events.SQSEvent) (string, error) { time.Sleep(10 * time.Millisecond); return "", nil }}
		start(t, q, f, func(c *eventsource.Config) { c.MaximumConcurrency = 10 })
		for i := range 12 {
			send(t, q, fmt.Sprint("group", i), "x")
			synctest.Wait()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if batches, most := f.figures(); batches != 3 || most != 1 {
			t.Errorf("%d batches, %d at once; want 1 + 10 + 1 messages in 3, one at a time", batches, most)
		}
	})
}

func TestStoppingLetsABatchEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t)
		f := &function{answer: func(events.SQSEvent) (string, error) { time.Sleep(5 * time.Second); return "", nil }}
		m, err := eventsource.New(eventsource.Config{Name: "M", Queue: queue, BatchSize: 10, MaximumConcurrency: 1,
			Visibility: time.Minute, Timeout: time.Second, Log: func(string) {}}, q, f)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { m.Run(ctx); close(done) }()
		send(t, q, "g", "1")
		synctest.Wait()
		cancel()
		<-done
		if n := inFlight(t, q); n != 0 {
			t.Errorf("%d left: the batch was cut short", n)
		}
	})
}

func TestRefusals(t *testing.T) {
	good := eventsource.Config{Name: "M", BatchSize: 10, MaximumConcurrency: 2, Visibility: 20 * time.Second, Timeout: 20 * time.Second}
	if _, err := eventsource.New(good, nil, nil); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*eventsource.Config){
		"visibility timeout (19s) is less than the function's timeout (20s)": func(c *eventsource.Config) { c.Visibility = 19 * time.Second },
		"batch size 11":         func(c *eventsource.Config) { c.BatchSize = 11 },
		"batch size 0":          func(c *eventsource.Config) { c.BatchSize = 0 },
		"maximum concurrency 0": func(c *eventsource.Config) { c.MaximumConcurrency = 0 },
	} {
		c := good
		change(&c)
		if _, err := eventsource.New(c, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
