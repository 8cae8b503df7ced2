package auth_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/nethouse-academy/albato/shared/auth"
	local "github.com/nethouse-academy/albato/shared/local/secretsmanager"
)

// The rotation as an operator does it, PutSecretValue by PutSecretValue, while functions go on running: nobody restarts
// anything, and at no moment is the Academy locked out.
func TestRotationInSecretsManager(t *testing.T) {
	const id = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Secret"
	server := local.New()
	server.Create(id, "Secret", secretJSON(currentKey, ""))
	s := httptest.NewServer(server)
	defer s.Close()
	client := secretsmanager.New(secretsmanager.Options{Region: "eu-central-1", BaseEndpoint: aws.String(s.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		})})
	v := &vault{now: start}
	// Two processes, one of which serves all the time while the other one rests.
	busy, resting := auth.NewKeys(auth.FromSecretsManager(client, id), v.clock), auth.NewKeys(auth.FromSecretsManager(client, id), v.clock)
	put := func(value string) {
		t.Helper()
		if _, err := client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(id), SecretString: &value}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, keys *auth.Keys, token string, want int) {
		t.Helper()
		if _, err := keys.Authenticate(t.Context(), "Bearer "+token); status(t, err) != want {
			t.Errorf("%s, %.12s…: %v, want %d", when, token, err, want)
		}
	}
	check("before", busy, currentKey, 200)
	check("before", resting, currentKey, 200)
	oldPage := pageToken(t, busy, "academy-1", time.Hour)

	put(secretJSON(nextKey, currentKey))
	v.advance(10 * time.Second)
	for _, token := range []string{nextKey, currentKey, oldPage} {
		check("both keys", busy, token, 200)
	}
	newPage := pageToken(t, busy, "academy-1", time.Hour)
	check("a page token of a process that knows more", resting, newPage, 200)

	put(secretJSON(nextKey, ""))
	v.advance(5*time.Minute - time.Second)
	check("until the keys are read again", busy, nextKey, 200)
	v.advance(time.Second)
	for _, keys := range []*auth.Keys{busy, resting} {
		check("the old key is out", keys, currentKey, 401)
		check("and its page tokens", keys, oldPage, 401)
		check("the new key is in", keys, nextKey, 200)
		check("and its page tokens", keys, newPage, 200)
	}
}
