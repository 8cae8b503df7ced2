package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/nethouse-academy/albato/shared/webhook"
)

func TestSignVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/standard-webhooks.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Secret, ID, Body, Signature string
		Timestamp                         int64
	}
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors) < 6 {
		t.Fatalf("%d vectors, error %v", len(vectors), err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			got, err := webhook.Sign(webhook.Secret(v.Secret), v.ID, time.Unix(v.Timestamp, 0), []byte(v.Body))
			if err != nil || got != v.Signature {
				t.Errorf("Sign() = %q, %v, want %q", got, err, v.Signature)
			}
		})
	}
}

// The public library must verify what we send, with the current and with the previous secret.
func TestPublicLibraryVerifiesBothSecretsDuringRotation(t *testing.T) {
	current, previous := webhook.NewSecret(), webhook.NewSecret()
	now := time.Now() // the library compares with the real clock
	body := []byte(`{"id":"1","data":{"name":"Курс «Go»"}}`)
	signature, err := webhook.SignatureHeader([]webhook.Secret{current, previous}, "dlv_1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	headers := http.Header{}
	headers.Set("webhook-id", "dlv_1")
	headers.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	headers.Set("webhook-signature", signature)
	for name, tc := range map[string]struct {
		secret webhook.Secret
		body   string
		ok     bool
	}{
		"current":      {current, string(body), true},
		"previous":     {previous, string(body), true},
		"other secret": {webhook.NewSecret(), string(body), false},
		"other body":   {current, string(body) + " ", false},
	} {
		wh, err := standardwebhooks.NewWebhook(tc.secret.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify([]byte(tc.body), headers); (err == nil) != tc.ok {
			t.Errorf("%s: Verify() = %v, want ok = %v", name, err, tc.ok)
		}
	}
}

func TestNewSecretIsAsTheSpecificationWants(t *testing.T) {
	a, b := webhook.NewSecret(), webhook.NewSecret()
	if a == b {
		t.Fatal("two secrets are the same")
	}
	encoded, ok := strings.CutPrefix(a.Reveal(), "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) != 32 {
		t.Errorf("%d bytes, prefix %v, error %v; want whsec_ and 32 bytes", len(key), ok, err)
	}
	if _, err := webhook.ParseSecret(a.Reveal()); err != nil {
		t.Error(err)
	}
}

func TestParseSecretBounds(t *testing.T) {
	of := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for name, tc := range map[string]struct {
		raw string
		ok  bool
	}{
		"24 bytes": {of(24), true}, "64 bytes": {of(64), true},
		"23 bytes": {of(23), false}, "65 bytes": {of(65), false},
		"no prefix": {of(32)[6:], false}, "asymmetric": {"whsk_" + of(32)[6:], false},
		"not base64": {"whsec_" + strings.Repeat("!", 32), false}, "empty": {"", false},
	} {
		_, err := webhook.ParseSecret(tc.raw)
		if (err == nil) != tc.ok {
			t.Errorf("%s: error %v, want ok = %v", name, err, tc.ok)
		}
	}
	if _, err := webhook.SignatureHeader(nil, "id", time.Now(), nil); err == nil {
		t.Error("no secret at all: want an error, an unsigned delivery must not leave")
	}
}

func BenchmarkSignatureHeader(b *testing.B) {
	secrets := []webhook.Secret{webhook.NewSecret(), webhook.NewSecret()}
	body := []byte(strings.Repeat("x", 2048))
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := webhook.SignatureHeader(secrets, "dlv_01JD0000000000000000000000", now, body); err != nil {
			b.Fatal(err)
		}
	}
}
