package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/local/secretsmanager"
)

const arn = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:albato"

// TestNoMomentWithoutAKey rotates a secret as the template makes it and asks the functions' own key check at each step.
func TestNoMomentWithoutAKey(t *testing.T) {
	ctx := t.Context()
	server := secretsmanager.New()
	server.Create(arn, "albato", `{"api_key":"the-first-key-that-was-generated","previous_api_key":"","page_token_keys":[]}`)
	client := awssecrets.New(awssecrets.Options{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
		BaseEndpoint: aws.String("http://secrets.local"), HTTPClient: &http.Client{Transport: inmemory.Transport{Handler: server}}})
	good := func(key string) bool {
		keys := auth.NewKeys(auth.FromSecretsManager(client, arn), time.Now) // as a function that starts now
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/events", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		keys.RequireAPIKey(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })).ServeHTTP(w, r)
		return w.Code == http.StatusNoContent
	}
	current := func() string {
		out, err := client.GetSecretValue(ctx, &awssecrets.GetSecretValueInput{SecretId: aws.String(arn)})
		if err != nil {
			t.Fatal(err)
		}
		_, key, _ := strings.Cut(*out.SecretString, `"api_key":"`)
		key, _, _ = strings.Cut(key, `"`)
		return key
	}
	step := func(name, wantError string) string {
		t.Helper()
		var out strings.Builder
		err := run(ctx, client, arn, name, &out)
		if wantError == "" && err != nil || wantError != "" && (err == nil || !strings.Contains(err.Error(), wantError)) {
			t.Fatalf("step %s: %v, want %q", name, err, wantError)
		}
		return out.String()
	}
	first := current()
	step("finish", "no rotation is under way")
	step("", "STEP=new or STEP=finish")
	said := step("new", "")
	second := current()
	if second == first || len(second) < 40 || strings.Contains(said, second) {
		t.Fatalf("the new key is %q; it says %q", second, said)
	}
	if !good(first) || !good(second) || good("another-key-that-nobody-made") {
		t.Errorf("under way: old %v, new %v", good(first), good(second))
	}
	step("new", "a rotation is under way")
	step("finish", "")
	if good(first) || !good(second) {
		t.Errorf("finished: old %v, new %v", good(first), good(second))
	}
}
