package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/bench/cputime"
	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/telemetry"
	"github.com/nethouse-academy/albato/shared/webhook"
)

const key = "key-of-the-academy"

type secret string

func (s secret) Secret(context.Context) ([]byte, error) { return []byte(s), nil }

// intake is the function over the real adapters; call stands between it and the services.
type intake struct {
	cloud *inmemory.Services
	table *table.Table
	serve apigw.LambdaFunc
	logs  bytes.Buffer
	call  func(operation string, next func() (*http.Response, error)) (*http.Response, error)
}

func newIntake(t testing.TB) *intake {
	t.Helper()
	cloud, err := inmemory.New(time.Now, 0)
	if err != nil {
		t.Fatal(err)
	}
	i := &intake{cloud: cloud, table: table.New(cloud.DB(nil), inmemory.TableName, time.Now)}
	wrap := func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
			if i.call == nil {
				return next.RoundTrip(r)
			}
			return i.call(operation, func() (*http.Response, error) { return next.RoundTrip(r) })
		})
	}
	h := handler{connections: table.New(cloud.DB(wrap), inmemory.TableName, time.Now), queue: queue.New(cloud.Queues(wrap), cloud.Deliveries),
		metrics: telemetry.NewMetrics(&i.logs, "intake", time.Now), log: telemetry.NewLogger(&i.logs, "info", "intake", "test"), now: time.Now}
	i.serve = apigw.Handler(h.routes(auth.NewKeys(secret(`{"api_key":"`+key+`"}`), time.Now)), apigw.WithLogger(h.log))
	return i
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func request(body string) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: "/v1/events", Body: body,
		Headers:        map[string]string{"authorization": "Bearer " + key, "content-type": "application/json"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{RequestID: "r1", HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: "POST", Path: "/v1/events"}}}
}

func (i *intake) post(t testing.TB, r events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	res, err := i.serve(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (i *intake) connect(t testing.TB, id string, enabled bool, actions ...event.Action) {
	t.Helper()
	now := time.Now()
	err := i.table.Create(t.Context(), connection.Connection{ID: id, AccountID: "academy-1001", Link: webhook.Link("https://h.albato.ru/wh/38/" + id + "/"),
		Actions: actions, Enabled: enabled, Version: 1, CreatedAt: now, UpdatedAt: now, Secret: webhook.NewSecret(),
		Health: connection.Health{State: connection.Healthy, Since: now}})
	if err != nil {
		t.Fatal(err)
	}
}

// queued receives all messages.
func (i *intake) queued(t testing.TB) []delivery.Message {
	t.Helper()
	var all []delivery.Message
	for {
		messages, err := i.cloud.SQS.Receive(t.Context(), i.cloud.Deliveries, 10, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(messages) == 0 {
			return all
		}
		for _, m := range messages {
			d, _, err := delivery.Decode(m.Body)
			if err != nil || m.GroupID != d.Delivery.ConnectionID {
				t.Fatalf("%v, group %s", err, m.GroupID)
			}
			all = append(all, *d)
		}
	}
}

func sample(t testing.TB, action event.Action) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "shared", "event", "samples", string(action)+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAnEventIsQueuedForEachConnectionThatWantsIt(t *testing.T) {
	i := newIntake(t)
	i.connect(t, "con_all", true, event.OrderCreate, event.OrderComplete)
	i.connect(t, "con_off", false, event.OrderComplete)
	i.connect(t, "con_other", true, event.OrderCreate)
	i.connect(t, "con_second", true, event.OrderComplete)
	raw := sample(t, event.OrderComplete)
	e, err := event.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	res := i.post(t, request(raw))
	want := fmt.Sprintf(`{"id":%q,"deliveries":[{"id":%q,"connection_id":"con_all"},{"id":%q,"connection_id":"con_second"}]}`,
		e.ID, e.DeliveryID("con_all"), e.DeliveryID("con_second"))
	if res.StatusCode != 202 || strings.TrimSpace(res.Body) != want {
		t.Fatalf("%d %s\nwant %s", res.StatusCode, res.Body, want)
	}
	got := i.queued(t)
	if len(got) != 2 || !bytes.Equal(got[0].Delivery.Body, e.Body(false)) || got[0].Delivery.OrderID != "9840012" || got[0].Retry != "" {
		t.Fatalf("queued %+v", got)
	}
	// The same event again: the same answer, and no second message.
	if again := i.post(t, request(raw)); again.StatusCode != 202 || again.Body != res.Body {
		t.Errorf("again: %d %s", again.StatusCode, again.Body)
	}
	if got := i.queued(t); len(got) != 0 {
		t.Errorf("queued again: %+v", got)
	}
}

func TestNobodyWantsIt(t *testing.T) {
	i := newIntake(t)
	res := i.post(t, request(sample(t, event.OrderUpdate)))
	if res.StatusCode != 202 || !strings.Contains(res.Body, `"deliveries":[]`) {
		t.Errorf("%d %s", res.StatusCode, res.Body)
	}
	if calls := i.cloud.SQS.Calls(); calls["SendMessageBatch"] != 0 {
		t.Errorf("calls = %v", calls)
	}
}

// TestCost: one Query and one SendMessageBatch an event, whatever happened before; a second batch only over ten connections.
func TestCost(t *testing.T) {
	for connections, batches := range map[int]int{1: 1, 10: 1, 11: 2, 20: 2} {
		i := newIntake(t)
		for n := range connections {
			i.connect(t, fmt.Sprintf("con_%02d", n), true, event.OrderComplete)
		}
		i.cloud.DynamoDB.ResetCalls()
		if res := i.post(t, request(sample(t, event.OrderComplete))); res.StatusCode != 202 {
			t.Fatal(res.Body)
		}
		db, sqs := i.cloud.DynamoDB.Calls(), i.cloud.SQS.Calls()
		if len(db) != 1 || db["Query"] != 1 || sqs["SendMessageBatch"] != batches {
			t.Errorf("%d connections: %v %v", connections, db, sqs)
		}
	}
}

// TestAllOrNothingInEffect: whatever fails, the answer is 503, and the same request repeated leaves one message for each
// connection, also when some had been queued.
func TestAllOrNothingInEffect(t *testing.T) {
	reset := errors.New("the connection was reset")
	for name, call := range map[string]func(operation string, next func() (*http.Response, error)) (*http.Response, error){
		"the table is away": func(operation string, next func() (*http.Response, error)) (*http.Response, error) {
			if operation == "Query" {
				return nil, reset
			}
			return next()
		},
		"the queue is away": func(operation string, next func() (*http.Response, error)) (*http.Response, error) {
			if operation == "SendMessageBatch" {
				return nil, reset
			}
			return next()
		},
		"the queue's answer is lost": func(operation string, next func() (*http.Response, error)) (*http.Response, error) {
			res, err := next()
			if operation == "SendMessageBatch" && err == nil {
				return nil, reset
			}
			return res, err
		},
		"one entry keeps failing": func(operation string, next func() (*http.Response, error)) (*http.Response, error) {
			if operation != "SendMessageBatch" {
				return next()
			}
			body := `{"Successful":[],"Failed":[{"Id":"1","Code":"InternalError","SenderFault":false,"Message":""}]}`
			if res, err := next(); err != nil {
				return res, err
			}
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIntake(t)
			i.connect(t, "con_1", true, event.OrderComplete)
			i.connect(t, "con_2", true, event.OrderComplete)
			i.call = call
			res := i.post(t, request(sample(t, event.OrderComplete)))
			var p struct{ Code, Detail string }
			if err := json.Unmarshal([]byte(res.Body), &p); err != nil || res.StatusCode != 503 || p.Code != "unavailable" || res.Headers["Retry-After"] == "" {
				t.Fatalf("%d %s %v", res.StatusCode, res.Body, res.Headers)
			}
			if strings.Contains(res.Body, "reset") {
				t.Errorf("the answer tells of the inside: %s", res.Body)
			}
			i.call = nil
			if res := i.post(t, request(sample(t, event.OrderComplete))); res.StatusCode != 202 {
				t.Fatal(res.Body)
			}
			var to []string
			for _, m := range i.queued(t) {
				to = append(to, m.Delivery.ConnectionID)
			}
			slices.Sort(to)
			if fmt.Sprint(to) != "[con_1 con_2]" {
				t.Errorf("queued for %v", to)
			}
		})
	}
}

// TestOneFailedEntryIsSentAgain: a partial failure of the batch is mended within the request.
func TestOneFailedEntryIsSentAgain(t *testing.T) {
	i := newIntake(t)
	i.connect(t, "con_1", true, event.OrderComplete)
	first := true
	i.call = func(operation string, next func() (*http.Response, error)) (*http.Response, error) {
		if operation == "SendMessageBatch" && first {
			first = false
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
				Body: io.NopCloser(strings.NewReader(`{"Successful":[],"Failed":[{"Id":"0","Code":"InternalError","SenderFault":false}]}`))}, nil
		}
		return next()
	}
	if res := i.post(t, request(sample(t, event.OrderComplete))); res.StatusCode != 202 {
		t.Fatal(res.Body)
	}
	if got := i.queued(t); len(got) != 1 {
		t.Errorf("queued %+v", got)
	}
}

// TestBigEventsToManyConnections: a batch holds 1 MiB at most, however many entries it has.
func TestBigEventsToManyConnections(t *testing.T) {
	i := newIntake(t)
	for n := range connection.MaxPerAccount {
		i.connect(t, fmt.Sprintf("con_%02d", n), true, event.OrderUpdate)
	}
	head := `{"id":"big","account_id":"academy-1001","occurred_at":"2026-11-23T08:05:00Z","data":{"action":"order_update","order":{"id":1},"note":"`
	raw := head + strings.Repeat("я", (event.MaxBytes-len(head)-4)/2) + "\uFFFE" + `"}}`
	raw = strings.Replace(raw, "яя", "", 1)
	if res := i.post(t, request(raw)); res.StatusCode != 202 {
		t.Fatalf("%d %.200s", res.StatusCode, res.Body)
	}
	e, err := event.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	got := i.queued(t)
	if len(got) != connection.MaxPerAccount || !bytes.Equal(got[7].Delivery.Body, e.Body(false)) {
		t.Errorf("%d queued", len(got))
	}
}

func TestBadRequests(t *testing.T) {
	i := newIntake(t)
	good := sample(t, event.OrderCreate)
	for name, c := range map[string]struct {
		change func(r *events.APIGatewayV2HTTPRequest)
		status int
	}{
		"no token":     {func(r *events.APIGatewayV2HTTPRequest) { delete(r.Headers, "authorization") }, 401},
		"wrong token":  {func(r *events.APIGatewayV2HTTPRequest) { r.Headers["authorization"] = "Bearer x" }, 401},
		"content type": {func(r *events.APIGatewayV2HTTPRequest) { r.Headers["content-type"] = "text/plain" }, 415},
		"not JSON":     {func(r *events.APIGatewayV2HTTPRequest) { r.Body = "{" }, 400},
		"two values":   {func(r *events.APIGatewayV2HTTPRequest) { r.Body += "{}" }, 400},
		"too large":    {func(r *events.APIGatewayV2HTTPRequest) { r.Body += strings.Repeat(" ", event.MaxBytes) }, 413},
		"wrong":        {func(r *events.APIGatewayV2HTTPRequest) { r.Body = "{}" }, 422},
		"query":        {func(r *events.APIGatewayV2HTTPRequest) { r.RawQueryString = "x=1" }, 422},
		"method":       {func(r *events.APIGatewayV2HTTPRequest) { r.RequestContext.HTTP.Method = "GET" }, 405},
		"path":         {func(r *events.APIGatewayV2HTTPRequest) { r.RawPath = "/v1/events/1" }, 404},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(good)
			c.change(&r)
			res := i.post(t, r)
			if res.StatusCode != c.status || res.Headers["Content-Type"] != "application/problem+json" {
				t.Errorf("%d %s %s", res.StatusCode, res.Headers["Content-Type"], res.Body)
			}
		})
	}
	if got := i.queued(t); len(got) != 0 {
		t.Errorf("a refused request queued %+v", got)
	}
}

// TestSampleInvocations feeds the events of `sam local invoke` through the function.
func TestSampleInvocations(t *testing.T) {
	files, err := filepath.Glob("events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no events: %v", err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var r events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		r.Headers["authorization"] = "Bearer " + key
		want := map[bool]int{true: 202, false: 422}[!strings.Contains(f, "invalid")]
		if res := newIntake(t).post(t, r); res.StatusCode != want {
			t.Errorf("%s: %d %s", f, res.StatusCode, res.Body)
		}
	}
}

// TestLogsNothingOfTheEvent: ids are all that is logged.
func TestLogsNothingOfTheEvent(t *testing.T) {
	i := newIntake(t)
	i.connect(t, "con_1", true, event.OrderComplete)
	i.post(t, request(sample(t, event.OrderComplete)))
	for _, secret := range []string{"anna@example.com", "Анна", "79990000000", key, "whsec_", "/wh/38/con_1"} {
		if strings.Contains(i.logs.String(), secret) {
			t.Errorf("%q stands in the log", secret)
		}
	}
	if !strings.Contains(i.logs.String(), `"event_id":"00000000-0000-4000-8000-000000000005"`) {
		t.Errorf("the event's id does not stand in the log: %s", i.logs.String())
	}
}

// nowhere takes messages without sending them, so that the benchmark measures the handler alone.
type nowhere struct{ connections []connection.Connection }

func (n nowhere) Connections(context.Context, string, bool) ([]connection.Connection, error) {
	return n.connections, nil
}

func (nowhere) SendMessages(_ context.Context, messages []delivery.Message) error {
	for _, m := range messages {
		if _, err := m.Encode(); err != nil {
			return err
		}
	}
	return nil
}

func benchmarkHandler() apigw.LambdaFunc {
	out := nowhere{[]connection.Connection{{ID: "con_01KA9V3N7E0000000000000000", Enabled: true, Actions: []event.Action{event.OrderComplete}}}}
	h := handler{connections: out, queue: out, metrics: telemetry.NewMetrics(io.Discard, "intake", time.Now),
		log: telemetry.NewLogger(io.Discard, "info", "intake", "bench"), now: time.Now}
	return apigw.Handler(h.routes(auth.NewKeys(secret(`{"api_key":"`+key+`"}`), time.Now)), apigw.WithLogger(slog.New(slog.DiscardHandler)))
}

func BenchmarkIntake(b *testing.B) {
	serve, r := benchmarkHandler(), request(sample(b, event.OrderComplete))
	b.ReportAllocs()
	began := cputime.Now()
	for b.Loop() {
		if res, err := serve(context.Background(), r); err != nil || res.StatusCode != 202 {
			b.Fatal(res.Body, err)
		}
	}
	b.ReportMetric(float64((cputime.Now()-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// TestAllocations is the guard of BenchmarkIntake: allocations do not depend on the machine.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector allocates; the guard runs without it")
		return
	}
	serve, r := benchmarkHandler(), request(sample(t, event.OrderComplete))
	got := testing.AllocsPerRun(200, func() {
		if res, err := serve(context.Background(), r); err != nil || res.StatusCode != 202 {
			t.Fatal(res.Body, err)
		}
	})
	if got > 110 {
		t.Errorf("%v allocations an event, 110 are allowed", got)
	}
}
