package local_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/albato"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// verifies asks the public library of Standard Webhooks whether what arrived was signed with the secret.
func verifies(t *testing.T, secret string, r albato.Request) bool {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	headers := http.Header{}
	for name, v := range r.Headers {
		headers.Set(name, v)
	}
	return wh.Verify([]byte(r.Body), headers) == nil
}

func signatures(r albato.Request) int { return len(strings.Fields(r.Headers["webhook-signature"])) }

// connectSigned makes a connection that is on and returns its path and signing secret.
func connectSigned(s *localtest.Stack, name string) (path, secret string) {
	var made struct {
		ID     string
		Secret string `json:"signing_secret"`
	}
	s.Must(201, "POST", "/v1/accounts/a/connections", map[string]any{"webhook_url": s.Link(name), "actions": []string{"order_update"}, "enabled": true}, &made)
	return "/v1/accounts/a/connections/" + made.ID, made.Secret
}

// After a rotation both secrets sign, in the sender and in test sends; once the day is over the new one alone does.
func TestRotatedSecretsSignTogetherForADay(t *testing.T) {
	s := localtest.Start(t, local.Options{})
	path, first := connectSigned(s, "signed")
	n := 0
	send := func() (sent, tested albato.Request) {
		t.Helper()
		n++
		s.Must(202, "POST", "/v1/events", event("a", "e"+strconv.Itoa(n), "order_update", n), nil)
		s.Arrivals("signed", 2*n-1)
		s.Must(200, "POST", path+"/test", map[string]any{"action": "order_update"}, nil)
		got := s.Arrivals("signed", 2*n)
		return got[2*n-2], got[2*n-1]
	}
	check := func(when string, r albato.Request, count int, good []string, bad []string) {
		t.Helper()
		if signatures(r) != count {
			t.Errorf("%s: signature %q, want %d", when, r.Headers["webhook-signature"], count)
		}
		for _, secret := range good {
			if !verifies(t, secret, r) {
				t.Errorf("%s: a good secret does not verify", when)
			}
		}
		for _, secret := range bad {
			if verifies(t, secret, r) {
				t.Errorf("%s: a secret verifies that is not in force", when)
			}
		}
	}
	sent, tested := send()
	check("before, sent", sent, 1, []string{first}, nil)
	check("before, tested", tested, 1, []string{first}, nil)

	var rotated struct {
		Secret string `json:"signing_secret"`
	}
	began := time.Now()
	s.Must(200, "POST", path+"/secret/rotate", nil, &rotated)
	second := rotated.Secret
	if second == first || !strings.HasPrefix(second, "whsec_") {
		t.Fatalf("rotated to %.10s…", second)
	}
	sent, tested = send()
	check("in the overlap, sent", sent, 2, []string{first, second}, nil)
	check("in the overlap, tested", tested, 2, []string{first, second}, nil)

	until := previousUntil(t, s, path, time.Now())
	if d := until.Sub(began); d < 24*time.Hour-time.Second || d > 24*time.Hour+time.Minute {
		t.Errorf("the overlap lasts %v, want 24 h", d)
	}
	sent, tested = send()
	check("after the overlap, sent", sent, 1, []string{second}, []string{first})
	check("after the overlap, tested", tested, 1, []string{second}, []string{first})
}

// previousUntil moves the end of the overlap, which lies a day ahead of the processes' clocks, to end, and returns it as it
// was.
func previousUntil(t *testing.T, s *localtest.Stack, path string, end time.Time) time.Time {
	t.Helper()
	parts := strings.Split(path, "/")
	var out struct {
		Attributes map[string]map[string]string
	}
	call(t, s, "AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB_20120810.UpdateItem", map[string]any{
		"TableName":                 s.Tables["Table"],
		"Key":                       map[string]any{"pk": map[string]string{"S": "ACCOUNT#" + parts[3]}, "sk": map[string]string{"S": "CONNECTION#" + parts[5]}},
		"UpdateExpression":          "SET previous_secret_until = :end",
		"ConditionExpression":       "attribute_exists(previous_secret_until)",
		"ExpressionAttributeValues": map[string]any{":end": map[string]string{"N": strconv.FormatInt(end.UnixMilli(), 10)}},
		"ReturnValues":              "UPDATED_OLD",
	}, &out)
	ms, err := strconv.ParseInt(out.Attributes["previous_secret_until"]["N"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.UnixMilli(ms)
}

// Each attempt is signed anew, over its own time: a receiver that refuses old timestamps would otherwise refuse every
// retry. The id is the same on all, so that it can recognise what it had already.
func TestEveryAttemptIsSignedAnew(t *testing.T) {
	s := localtest.Start(t, local.Options{Parameters: map[string]string{"RetrySchedule": "1s,1s,1s"}})
	_, secret := connectSigned(s, "signed")
	behave(t, s, "signed", "?status=503&fail=2")
	s.Must(202, "POST", "/v1/events", event("a", "e1", "order_update", 1), nil)
	got := s.Arrivals("signed", 3)
	for i, r := range got {
		at, err := strconv.ParseInt(r.Headers["webhook-timestamp"], 10, 64)
		if off := r.Time.Sub(time.Unix(at, 0)); err != nil || off < -time.Second || off > 10*time.Second {
			t.Errorf("attempt %d: timestamp %s at %v", i+1, r.Headers["webhook-timestamp"], r.Time)
		}
		if r.Headers["webhook-attempt"] != strconv.Itoa(i+1) || r.Headers["webhook-id"] != got[0].Headers["webhook-id"] || r.Body != got[0].Body || !verifies(t, secret, r) {
			t.Errorf("attempt %d: %v", i+1, r.Headers)
		}
		if i > 0 && (r.Headers["webhook-timestamp"] <= got[i-1].Headers["webhook-timestamp"] || r.Headers["webhook-signature"] == got[i-1].Headers["webhook-signature"]) {
			t.Errorf("attempts %d and %d: timestamps %s, %s; signatures %s, %s", i, i+1, got[i-1].Headers["webhook-timestamp"], r.Headers["webhook-timestamp"],
				got[i-1].Headers["webhook-signature"], r.Headers["webhook-signature"])
		}
	}
}

// behave tells the stand-in how the link of that name answers from now on.
func behave(t *testing.T, s *localtest.Stack, name, query string) {
	t.Helper()
	r, err := http.NewRequest("PUT", s.Link(name)+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil || response.StatusCode != 204 {
		t.Fatalf("%v, %v", response, err)
	}
	response.Body.Close()
}
