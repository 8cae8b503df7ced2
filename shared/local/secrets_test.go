package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// call calls an operation of one of the stack's services as the developer, who may do everything.
func call(t *testing.T, s *localtest.Stack, endpoint, target string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest("POST", s.Endpoints[endpoint], strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", target)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != 200 {
		t.Fatalf("%s: %s %s (%v)", target, response.Status, answer, err)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			t.Fatal(err)
		}
	}
}

// setSecret writes the secret as an operator does, and starts the functions anew: they read it when they begin, after five
// minutes, and when a token is unknown to keys older than ten seconds (tested with a clock in package auth).
func setSecret(t *testing.T, s *localtest.Stack, value string) {
	t.Helper()
	call(t, s, "AWS_ENDPOINT_URL_SECRETS_MANAGER", "secretsmanager.PutSecretValue",
		map[string]string{"SecretId": s.Environment["IntakeFunction"]["SECRET_ID"], "SecretString": value}, nil)
	for _, id := range []string{"IntakeFunction", "ConnectionsFunction"} {
		for _, pid := range s.Functions[id].PIDs() {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			s.Eventually("the process is gone", func() bool { return !slices.Contains(s.Functions[id].PIDs(), pid) })
		}
	}
}

// The rotation that the README describes, step by step: both keys while the Academy changes over, then the new one alone,
// and with the old one go the page tokens that were made with it.
func TestTheAPIKeyIsRotated(t *testing.T) {
	const old, fresh = "old-key-0123456789abcdef0123456789abcdef01234567", "new-key-0123456789abcdef0123456789abcdef01234567"
	s := localtest.Start(t, local.Options{APIKey: old})
	session := func(key string) string {
		var made struct{ URL string }
		s.Must(201, "POST", "/v1/accounts/a/page-sessions", nil, &made, "Authorization", "Bearer "+key)
		_, token, _ := strings.Cut(made.URL, "#token=")
		return token
	}
	check := func(when string, want int, tokens ...string) {
		t.Helper()
		for _, token := range tokens {
			if r := s.Do("GET", "/v1/accounts/a/connections", nil, "Authorization", "Bearer "+token); r.Status != want {
				t.Errorf("%s: %.12s… at the connections: %d, want %d", when, token, r.Status, want)
			}
			if strings.Contains(token, ".") {
				continue // a page token
			}
			accepted := map[int]int{200: 202}[want]
			if r := s.Do("POST", "/v1/events", event("a", "e1", "order_create", 1), "Authorization", "Bearer "+token); r.Status != max(accepted, want) {
				t.Errorf("%s: %.12s… at the intake: %d", when, token, r.Status)
			}
		}
	}
	oldPage := session(old)
	check("before", 200, old, oldPage)
	check("before", 401, fresh)

	setSecret(t, s, fmt.Sprintf(`{"api_key":%q,"previous_api_key":%q,"page_token_keys":[]}`, fresh, old))
	newPage := session(fresh)
	check("while the Academy changes over", 200, fresh, old, oldPage, newPage, session(old))
	check("while the Academy changes over", 401, old[1:], "")

	setSecret(t, s, fmt.Sprintf(`{"api_key":%q,"previous_api_key":"","page_token_keys":[]}`, fresh))
	check("afterwards", 401, old, oldPage)
	check("afterwards", 200, fresh, newPage)

	// A secret that cannot be read locks everybody out, with an answer that blames no caller, and is not written anywhere.
	setSecret(t, s, `{"api_key":"`+fresh+``)
	check("with a secret that is broken", 503, fresh, old, newPage)
	if text := s.Log.String(); strings.Contains(text, fresh) || strings.Contains(text, old) || !strings.Contains(text, "the secret is not the JSON object it should be") {
		t.Errorf("the log:\n%s", text)
	}
}

// The secret is read from Secrets Manager and stands nowhere else: not in the environment or the command line of any
// process, and not in the environment that the template gives.
func TestSecretsAreNotInTheEnvironment(t *testing.T) {
	const key = "key-of-the-academy-0123456789abcdef0123456789abc"
	s := localtest.Start(t, local.Options{APIKey: key})
	s.Connect("a", s.Link("a"), "order_create")
	s.Must(202, "POST", "/v1/events", event("a", "e1", "order_create", 1), nil)
	s.Arrivals("a", 1)
	for id, f := range s.Functions {
		pids := f.PIDs()
		if len(pids) == 0 {
			t.Errorf("%s does not run", id)
		}
		for _, pid := range pids {
			for _, file := range []string{"environ", "cmdline"} {
				text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
				if os.IsNotExist(err) {
					t.Skip("needs /proc")
				}
				if err != nil || file == "environ" && !strings.Contains(string(text), "AWS_LAMBDA_FUNCTION_NAME=") {
					t.Fatalf("%s of %s: %q, %v", file, id, text, err)
				}
				if strings.Contains(string(text), key) || strings.Contains(string(text), "whsec_") {
					t.Errorf("%s of %s has a secret", file, id)
				}
			}
		}
		for name, value := range s.Environment[id] {
			if strings.Contains(value, key) {
				t.Errorf("%s of %s has the API key", name, id)
			}
		}
	}
}
