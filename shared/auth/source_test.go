package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/nethouse-academy/albato/shared/auth"
)

const (
	currentKey  = "current-key-current-key-current-key-current-key-"
	previousKey = "previous-key-previous-key-previous-key-previous-"
	nextKey     = "next-key-next-key-next-key-next-key-next-key-nex"
)

var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// vault is a secret that can be changed, fail, and be counted, and the clock beside it.
type vault struct {
	mu     sync.Mutex
	secret string
	err    error
	reads  int
	now    time.Time
}

func (v *vault) Secret(ctx context.Context) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reads++
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return []byte(v.secret), v.err
}

func (v *vault) clock() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

func (v *vault) advance(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(d)
}

func (v *vault) set(secret string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secret, v.err = secret, err
}

func (v *vault) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reads
}

func secretJSON(current, previous string, pageKeys ...string) string {
	if pageKeys == nil {
		pageKeys = []string{}
	}
	b, err := json.Marshal(map[string]any{"api_key": current, "previous_api_key": previous, "page_token_keys": pageKeys, "note": "x"})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func newKeys(secret string) (*auth.Keys, *vault) {
	v := &vault{secret: secret, now: start}
	return auth.NewKeys(v, v.clock), v
}

var errDown = errors.New("secrets manager is down")

// The real client of the SDK against a server that speaks the one operation.
func TestSecretsManagerIsReadByItsID(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in struct {
			SecretID string `json:"SecretId"`
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if json.Unmarshal(body, &in) != nil || in.SecretID != "arn:secret" || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"ResourceNotFoundException"}`)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"SecretString": secretJSON(currentKey, "")})
	}))
	defer s.Close()
	client := secretsmanager.New(secretsmanager.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(s.URL), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	keys := auth.NewKeys(auth.FromSecretsManager(client, "arn:secret"), nil)
	if p, err := keys.Authenticate(t.Context(), "Bearer "+currentKey); err != nil || p.Kind != auth.KindAPIKey {
		t.Errorf("%+v, %v", p, err)
	}
	wrong := auth.NewKeys(auth.FromSecretsManager(client, "arn:other"), nil)
	if _, err := wrong.Authenticate(t.Context(), "Bearer "+currentKey); status(t, err) != http.StatusServiceUnavailable {
		t.Errorf("%v, want unavailable", err)
	}
}
