package local_test

import (
	"cmp"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// operation is one operation of the API's description, as the stack itself serves it: a route that is added later is
// walked here without anybody having to think of it.
type operation struct {
	method, path string   // with its {parameters}
	tokens       []string // kinds it takes; none is needed when empty
}

func operations(t *testing.T, s *localtest.Stack) []operation {
	t.Helper()
	type security []map[string]any
	var document struct {
		Security security
		Paths    map[string]map[string]json.RawMessage
	}
	s.Must(200, "GET", "/openapi.json", nil, &document, "Authorization", "")
	var out []operation
	for path, members := range document.Paths {
		for method, raw := range members {
			if method == "parameters" || method == "summary" || method == "description" {
				continue
			}
			var o struct{ Security *security }
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			required := document.Security
			if o.Security != nil {
				required = *o.Security
			}
			op := operation{method: strings.ToUpper(method), path: path}
			for _, r := range required {
				op.tokens = slices.AppendSeq(op.tokens, maps.Keys(r))
			}
			out = append(out, op)
		}
	}
	slices.SortFunc(out, func(a, b operation) int { return cmp.Compare(a.path+a.method, b.path+b.method) })
	if len(out) < 25 {
		t.Fatalf("the description has %d operations", len(out))
	}
	return out
}

func (o operation) takes(kind string) bool { return slices.Contains(o.tokens, kind) }

var parameter = regexp.MustCompile(`\{([a-z]+)\}`)

// at gives the path with its parameters filled in. One that is not known fails the test: a new one needs a value here.
func (o operation) at(t *testing.T, values map[string]string) string {
	t.Helper()
	return parameter.ReplaceAllStringFunc(o.path, func(p string) string {
		v, known := values[strings.Trim(p, "{}")]
		if !known {
			t.Fatalf("%s: no value for %s", o.path, p)
		}
		return v
	})
}

// body is one that the operation would take.
func (o operation) body(s *localtest.Stack) any {
	switch {
	case o.path == "/v1/events":
		return event("a", "stranger", "order_update", 7)
	case o.method == "POST" && strings.HasSuffix(o.path, "/connections"):
		return map[string]any{"webhook_url": s.Link("stranger")}
	case strings.HasSuffix(o.path, "/subscriptions"):
		return map[string]any{"webhook_url": s.Link("stranger"), "action": "order_update"}
	case strings.HasSuffix(o.path, "/test"):
		return map[string]any{"action": "order_update"}
	case strings.HasSuffix(o.path, "/replay"):
		return map[string]any{"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "statuses": []string{"delivered"}}
	case o.method == "PATCH":
		return map[string]any{"name": "stranger"}
	case o.method == "POST":
		return map[string]any{}
	}
	return nil
}

// furnish makes one of everything in an account and returns how paths name it.
func furnish(s *localtest.Stack, account string) map[string]string {
	values := map[string]string{"account": account, "order": "1"}
	link := "of-" + account
	values["connection"] = s.Connect(account, s.Link(link), "order_update")
	s.Must(202, "POST", "/v1/events", event(account, "e1", "order_update", 1), nil)
	values["delivery"] = s.Arrivals(link, 1)[0].Headers["webhook-id"]
	s.Eventually("the delivery is logged", func() bool {
		return s.Do("GET", "/v1/accounts/"+account+"/connections/"+values["connection"]+"/deliveries/"+values["delivery"], nil).Status == 200
	})
	var made struct{ ID, Token string }
	s.Must(201, "POST", "/v1/accounts/"+account+"/tokens", map[string]any{}, &made)
	values["token"], values["secret"] = made.ID, made.Token
	s.Must(201, "POST", "/v1/accounts/"+account+"/subscriptions", map[string]any{"action": "order_create", "webhook_url": s.Link("albato-" + account)}, &made)
	values["subscription"] = made.ID
	return values
}

// seen is an answer without what differs between two answers of any kind.
func seen(r localtest.Response) string {
	header := r.Header.Clone()
	var own struct {
		RequestID string `json:"request_id"`
	}
	_ = json.Unmarshal(r.Body, &own) // an answer without one has nothing to hide
	for _, name := range []string{"Date", "Apigw-Requestid", "X-Request-Id"} {
		header.Del(name)
	}
	body := string(r.Body)
	if own.RequestID != "" {
		body = strings.ReplaceAll(body, own.RequestID, "…")
	}
	return fmt.Sprintln(r.Status, header, body)
}

// forger makes page tokens by hand, with the key that the API key gives.
type forger struct {
	t   *testing.T
	key []byte
}

func newForger(t *testing.T, apiKey string) forger {
	t.Helper()
	key, err := hkdf.Key(sha256.New, []byte(apiKey), nil, "albato page token v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	return forger{t, key}
}

// claims are those of a good token, with some changed; nil leaves one out.
func (f forger) claims(account string, changes jwt.MapClaims) jwt.MapClaims {
	now := time.Now()
	c := jwt.MapClaims{"iss": "nethouse-academy-albato", "aud": "albato-page", "sub": account, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	for name, v := range changes {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

func (f forger) sign(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	f.t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// confused is signed by HMAC under a header that says another algorithm.
func (f forger) confused(algorithm string, claims jwt.MapClaims) string {
	f.t.Helper()
	good := f.sign(jwt.SigningMethodHS256, f.key, claims)
	_, rest, _ := strings.Cut(good, ".")
	payload, _, _ := strings.Cut(rest, ".")
	header := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":%q,"typ":"JWT"}`, algorithm))
	signature, err := jwt.SigningMethodHS256.Sign(header+"."+payload, f.key)
	if err != nil {
		f.t.Fatal(err)
	}
	return header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// strangers are Authorization headers that open nothing in account.
func strangers(t *testing.T, apiKey, account string) map[string]string {
	t.Helper()
	f := newForger(t, apiKey)
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := f.claims(account, nil)
	old := time.Now().Add(-2 * time.Hour)
	hs := func(changes jwt.MapClaims) string {
		return f.sign(jwt.SigningMethodHS256, f.key, f.claims(account, changes))
	}
	tokens := map[string]string{
		"garbage": "garbage", "dots": "..", "a letter of the key changed": "X" + apiKey[1:], "a letter more": apiKey + "x",
		"a letter less": apiKey[:len(apiKey)-1], "the key in upper case": strings.ToUpper(apiKey), "two keys": apiKey + ", Bearer " + apiKey,
		"expired":                 hs(jwt.MapClaims{"iat": old.Unix(), "exp": old.Add(time.Hour).Unix()}),
		"expired this second":     hs(jwt.MapClaims{"exp": time.Now().Unix()}),
		"without an expiry":       hs(jwt.MapClaims{"exp": nil}),
		"for ever":                hs(jwt.MapClaims{"exp": time.Now().Add(100 * 365 * 24 * time.Hour).Unix()}),
		"without a time of issue": hs(jwt.MapClaims{"iat": nil}), "of nobody": hs(jwt.MapClaims{"sub": nil}),
		"of an empty account": hs(jwt.MapClaims{"sub": ""}), "of several accounts": hs(jwt.MapClaims{"sub": []string{account}}),
		"of another issuer": hs(jwt.MapClaims{"iss": "academy"}), "for another audience": hs(jwt.MapClaims{"aud": "academy"}),
		"signed by another key": f.sign(jwt.SigningMethodHS256, newForger(t, apiKey+"x").key, good),
		"signed by the API key": f.sign(jwt.SigningMethodHS256, []byte(apiKey), good),
		"signed by nothing":     f.sign(jwt.SigningMethodHS256, []byte{}, good),
		"alg none":              f.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"alg None, signed":      f.confused("None", good), "alg none, signed": f.confused("none", good), "no alg": f.confused("", good),
		"HS384": f.sign(jwt.SigningMethodHS384, f.key, good), "HS512": f.sign(jwt.SigningMethodHS512, f.key, good),
		"RS256": f.sign(jwt.SigningMethodRS256, own, good), "RS256 over HMAC": f.confused("RS256", good), "HS384 over HS256": f.confused("HS384", good),
		"padded": hs(nil) + "=", "a part more": hs(nil) + ".x", "unsigned": hs(nil)[:strings.LastIndexByte(hs(nil), '.')+1],
		"an account token nobody has": "alb_" + strings.Repeat("A", 43), "too long": strings.Repeat("x", 5000),
	}
	headers := map[string]string{"nothing": "", "Bearer alone": "Bearer", "Bearer and a space": "Bearer ", "no scheme": apiKey,
		"Basic": "Basic " + base64.StdEncoding.EncodeToString([]byte("academy:"+apiKey)), "Token": "Token " + apiKey}
	for name, token := range tokens {
		headers[name] = "Bearer " + token
	}
	return headers
}

// Every operation of the contract, with every kind of wrong token. What is answered does not tell whether the account, or
// what the path names in it, exists.
func TestNobodyElseGetsIn(t *testing.T) {
	const key = "key-of-the-academy-0123456789abcdef0123456789abc"
	s := localtest.Start(t, local.Options{APIKey: key})
	a, b := furnish(s, "a"), furnish(s, "b")
	unknown := map[string]string{"account": "a", "order": "2", "connection": "con_01M84E0709JHN706085QH0CA7R", "delivery": "dlv_01M84E06AGT9S11Y3VBGZJ52N9",
		"token": "tok_01M84E06AGT9S11Y3VBGZJ52N9", "subscription": "sub_01M84E0709JHN706085QH0CA7R_order_create"}
	nobodys := maps.Clone(a)
	nobodys["account"] = "nobody"
	odd := maps.Clone(a)
	odd["account"] = "no$account"
	before, arrived := snapshot(s), len(s.Albato.Requests(""))

	f := newForger(t, key)
	page := func(account string) string {
		return "Bearer " + f.sign(jwt.SigningMethodHS256, f.key, f.claims(account, nil))
	}
	if r := s.Do("GET", "/v1/accounts/a/connections", nil, "Authorization", page("a")); r.Status != 200 {
		t.Fatalf("the forged tokens prove nothing: a good one gives %d %s", r.Status, r.Body)
	}
	refused := func(name string, o operation, authorization string, want int, places ...map[string]string) {
		t.Helper()
		var first string
		for _, values := range append(places, a, nobodys) {
			path := o.at(t, values)
			r := s.Do(o.method, path, o.body(s), "Authorization", authorization)
			if r.Status != want || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %s %s: %d %s, want %d", name, o.method, path, r.Status, r.Body, want)
			}
			if first == "" {
				first = seen(r)
			}
			if got := seen(r); got != first {
				t.Errorf("%s: %s %s is answered\n%sbut another place\n%s", name, o.method, path, got, first)
			}
		}
	}
	bad := strangers(t, key, "a")
	for _, o := range operations(t, s) {
		if len(o.tokens) == 0 {
			if o.path != "/page/{version}/{file}" && s.Do(o.method, o.path, nil, "Authorization", "").Status != 200 {
				t.Errorf("%s %s wants a token", o.method, o.path)
			}
			continue
		}
		for name, authorization := range bad {
			refused(name, o, authorization, http.StatusUnauthorized)
		}
		status := map[bool]int{true: http.StatusNotFound, false: http.StatusUnauthorized}
		refused("another account's page", o, page("b"), status[o.takes("pageToken")], unknown, odd)
		refused("an account's in another case", o, page("A"), status[o.takes("pageToken")], unknown, odd)
		refused("another account's token", o, "Bearer "+b["secret"], status[o.takes("accountToken")], unknown, odd)
		// One's own token, and what belongs to somebody else.
		if names := parameter.FindAllString(o.path, -1); len(names) < 2 || names[1] == "{order}" {
			continue
		}
		foreign := maps.Clone(b)
		foreign["account"] = "a"
		theirs := s.Do(o.method, o.at(t, foreign), o.body(s), "Authorization", page("a"))
		nothing := s.Do(o.method, o.at(t, unknown), o.body(s), "Authorization", page("a"))
		if theirs.Status != 404 || seen(theirs) != seen(nothing) {
			t.Errorf("%s %s: another's is answered\n%swhat is nowhere\n%s", o.method, o.path, seen(theirs), seen(nothing))
		}
	}
	if after := snapshot(s); after != before {
		t.Errorf("somebody got in:\n%s\nwas\n%s", after, before)
	}
	if n := len(s.Albato.Requests("")); n != arrived {
		t.Errorf("%d requests were sent for strangers", n-arrived)
	}
}

// snapshot is all that can be seen of the two accounts.
func snapshot(s *localtest.Stack) string {
	var b strings.Builder
	for _, account := range []string{"a", "b", "nobody"} {
		var list struct{ Connections []struct{ ID string } }
		s.Must(200, "GET", "/v1/accounts/"+account+"/connections", nil, &list)
		paths := []string{"", "/connections", "/tokens"}
		for _, c := range list.Connections {
			paths = append(paths, "/connections/"+c.ID+"/deliveries")
		}
		for _, p := range paths {
			b.Write(s.Do("GET", "/v1/accounts/"+account+p, nil).Body)
		}
	}
	return b.String()
}
