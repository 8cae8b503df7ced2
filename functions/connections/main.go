// Command connections serves everything below /v1/accounts/: an organiser's connections and what is done with them, their
// delivery log, erasure, and sessions of the organiser's page.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/awsclient"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/invocation"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/telemetry"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// config is the function's environment; the template sets all of it but AllowLoopback, which only a run on one's own
// machine sets.
type config struct {
	Table         string        `env:"TABLE_NAME,required,notEmpty"`
	Deliveries    string        `env:"DELIVERIES_QUEUE_URL,required,notEmpty"`
	Retries       string        `env:"RETRIES_QUEUE_URL,required,notEmpty"`
	SecretID      string        `env:"SECRET_ID,required,notEmpty"`
	AllowedHosts  []string      `env:"ALLOWED_HOSTS,required,notEmpty"`
	Timeout       time.Duration `env:"DELIVERY_TIMEOUT,required,notEmpty"`
	RetentionDays int           `env:"RETENTION_DAYS,required,notEmpty"`
	LogLevel      string        `env:"LOG_LEVEL" envDefault:"info"`
	Version       string        `env:"VERSION" envDefault:"dev"`
	AllowLoopback bool          `env:"ALLOW_LOOPBACK"`
}

func main() {
	if err := run(context.Background(), env.ToMap(os.Environ())); err != nil {
		fmt.Fprintln(os.Stderr, "connections:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. Its error names every fault of the environment.
func run(ctx context.Context, environment map[string]string) error {
	cfg, err := env.ParseAsWithOptions[config](env.Options{Environment: environment})
	if err != nil {
		return err
	}
	sdk, err := awsclient.Load()
	if err != nil {
		return err
	}
	var (
		out      = telemetry.NewOutput(os.Stdout)
		store    = table.New(dynamodb.NewFromConfig(sdk), cfg.Table, time.Now)
		messages = sqs.NewFromConfig(sdk)
		rules    = webhook.Rules{AllowedHosts: cfg.AllowedHosts, AllowLoopback: cfg.AllowLoopback}
		logger   = telemetry.NewLogger(out, cfg.LogLevel, "connections", cfg.Version)
	)
	h := handler{
		store: store,
		queue: queue.New(messages, cfg.Deliveries),
		controls: delivery.Controls{Tokens: queue.Tokens{Queue: queue.New(messages, cfg.Retries)}, Gate: store,
			Now: time.Now},
		poster:    webhook.NewClient(webhook.Options{Timeout: cfg.Timeout, Version: cfg.Version, Rules: rules}),
		keys:      auth.NewKeys(auth.FromSecretsManager(secretsmanager.NewFromConfig(sdk), cfg.SecretID), time.Now),
		rules:     rules,
		retention: time.Duration(cfg.RetentionDays) * 24 * time.Hour,
		log:       logger,
		now:       time.Now,
	}
	invocation.Start(ctx, apigw.Handler(h.routes(), apigw.WithLogger(logger)), out)
	return nil
}
