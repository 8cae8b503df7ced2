// Package awsclient is the one place that sets up the AWS SDK for the functions.
package awsclient

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// Load reads the SDK's own environment (region, credentials, AWS_ENDPOINT_URL_…). Calls are retried by the SDK, three
// times in all, with short pauses: behind each stands a person's request or a message that comes again.
func Load(ctx context.Context) (aws.Config, error) {
	return config.LoadDefaultConfig(ctx,
		// The instance metadata service is no source of anything on Lambda; asking it would only cost start-up time.
		config.WithEC2IMDSClientEnableState(imds.ClientDisabled),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 3
				o.MaxBackoff = 500 * time.Millisecond
			})
		}),
		config.WithHTTPClient(&http.Client{Transport: transport(), Timeout: 5 * time.Second}),
	)
}

// transport keeps as many connections as the senders of one process use at once; the SDK's own default closes most of them.
func transport() *http.Transport {
	return &http.Transport{
		MaxIdleConns: 32, MaxIdleConnsPerHost: 16, IdleConnTimeout: 50 * time.Second,
		TLSHandshakeTimeout: 3 * time.Second, ForceAttemptHTTP2: false, DisableCompression: true,
	}
}
