package awsclient_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/nethouse-academy/albato/shared/awsclient"
)

func lambda(t *testing.T) {
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SECRETS_MANAGER",
		"AWS_ENDPOINT_URL_EVENTBRIDGE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_ACCOUNT_ID"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "session")
}

// endpoints are where each client would call, by service; "" is AWS itself.
func endpoints(t *testing.T) map[string]string {
	t.Helper()
	c, err := awsclient.Load()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for service, endpoint := range map[string]*string{
		"dynamodb": dynamodb.NewFromConfig(c).Options().BaseEndpoint, "sqs": sqs.NewFromConfig(c).Options().BaseEndpoint,
		"secretsmanager": secretsmanager.NewFromConfig(c).Options().BaseEndpoint, "eventbridge": eventbridge.NewFromConfig(c).Options().BaseEndpoint,
	} {
		if found[service] = ""; endpoint != nil {
			found[service] = *endpoint
		}
	}
	return found
}

func TestEndpointsAreTheSDKsOwnVariables(t *testing.T) {
	all := map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://d", "AWS_ENDPOINT_URL_SQS": "http://q",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://s", "AWS_ENDPOINT_URL_EVENTBRIDGE": "http://e"}
	with := func(name, value string) map[string]string {
		m := map[string]string{name: value}
		for k, v := range all {
			m[k] = v
		}
		return m
	}
	for name, tt := range map[string]struct {
		environment map[string]string
		want        [4]string // dynamodb, sqs, secretsmanager, eventbridge
	}{
		"none":        {nil, [4]string{}},
		"each":        {all, [4]string{"http://d", "http://q", "http://s", "http://e"}},
		"one for all": {map[string]string{"AWS_ENDPOINT_URL": "http://a"}, [4]string{"http://a", "http://a", "http://a", "http://a"}},
		"the service's own goes before": {map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_SQS": "http://q"},
			[4]string{"http://a", "http://q", "http://a", "http://a"}},
		"ignored":     {with("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), [4]string{}},
		"not ignored": {with("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"), [4]string{"http://d", "http://q", "http://s", "http://e"}},
	} {
		t.Run(name, func(t *testing.T) {
			lambda(t)
			for k, v := range tt.environment {
				t.Setenv(k, v)
			}
			got := endpoints(t)
			if have := [4]string{got["dynamodb"], got["sqs"], got["secretsmanager"], got["eventbridge"]}; have != tt.want {
				t.Errorf("endpoints = %q, want %q", have, tt.want)
			}
		})
	}
}

// TestCallsAreSigned: with the execution role's credentials, for the region.
func TestCallsAreSigned(t *testing.T) {
	lambda(t)
	var authorization, token string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization, token = r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{"QueueUrls":[]}`)
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_SQS", server.URL)
	c, err := awsclient.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqs.NewFromConfig(c).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(authorization, "Credential=AKIDTEST/") || !strings.Contains(authorization, "/eu-central-1/sqs/aws4_request") || token != "session" {
		t.Errorf("Authorization: %s, token %q", authorization, token)
	}
}

// TestCallsAreRetried: three times in all.
func TestCallsAreRetried(t *testing.T) {
	lambda(t)
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_SQS", server.URL)
	c, err := awsclient.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqs.NewFromConfig(c).ListQueues(context.Background(), &sqs.ListQueuesInput{}); err == nil || calls != 3 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestWhatIsMissingIsReportedTogether(t *testing.T) {
	lambda(t)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err := awsclient.Load()
	if err == nil || !strings.Contains(err.Error(), "AWS_REGION") || !strings.Contains(err.Error(), "AWS_SECRET_ACCESS_KEY") {
		t.Errorf("err = %v", err)
	}
}
