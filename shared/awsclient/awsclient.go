// Package awsclient is the one place that sets up the AWS SDK for the functions.
package awsclient

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Load reads what Lambda sets for a function (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html:
// region and the execution role's credentials) and the SDK's own variables for endpoints
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL,
// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS). It does not do what the SDK's config module does beside that, which a function has
// no use for and whose code (profiles, single sign-on, instance metadata) every cold start and every archive would pay
// for. All that is missing is reported together.
//
// Calls are retried by the SDK, three times in all, with short pauses: behind each stands a person's request or a message
// that comes again.
func Load() (aws.Config, error) {
	region := os.Getenv("AWS_REGION")
	credentials := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"), AccountID: os.Getenv("AWS_ACCOUNT_ID"), Source: "environment"}
	var missing []error
	if region == "" {
		missing = append(missing, errors.New("AWS_REGION is not set"))
	}
	if !credentials.HasKeys() {
		missing = append(missing, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"))
	}
	if len(missing) > 0 {
		return aws.Config{}, errors.Join(missing...)
	}
	c := aws.Config{
		Region: region,
		// Lambda sets new ones by starting a new process.
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 3
				o.MaxBackoff = 500 * time.Millisecond
			})
		},
		HTTPClient: &http.Client{Transport: transport(), Timeout: 5 * time.Second},
	}
	if !strings.EqualFold(os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		if all := os.Getenv("AWS_ENDPOINT_URL"); all != "" {
			c.BaseEndpoint = &all
		}
		c.ConfigSources = []any{endpoints{}}
	}
	return c, nil
}

// endpoints is asked by each of the SDK's clients for the endpoint of its service.
type endpoints struct{}

// GetServiceBaseEndpoint reads AWS_ENDPOINT_URL_<SERVICE>; id is the SDK's name of the service ("Secrets Manager").
func (endpoints) GetServiceBaseEndpoint(_ context.Context, id string) (string, bool, error) {
	url := os.Getenv("AWS_ENDPOINT_URL_" + strings.ReplaceAll(strings.ToUpper(id), " ", "_"))
	return url, url != "", nil
}

// transport keeps as many connections as the senders of one process use at once; the SDK's own default closes most of them.
// A batch of ten log entries is 15 KB: with buffers of 32 it is one system call instead of four.
func transport() *http.Transport {
	return &http.Transport{
		WriteBufferSize: 32 << 10, ReadBufferSize: 32 << 10,
		MaxIdleConns: 32, MaxIdleConnsPerHost: 16, IdleConnTimeout: 50 * time.Second,
		TLSHandshakeTimeout: 3 * time.Second, ForceAttemptHTTP2: false, DisableCompression: true,
	}
}
