// Command sender delivers what is queued to the organisers' links: batches of deliveries as they come, and tokens, which
// are the timers of connections in trouble.
package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

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
	Table         string            `env:"TABLE_NAME,required,notEmpty"`
	Deliveries    string            `env:"DELIVERIES_QUEUE_URL,required,notEmpty"`
	Retries       string            `env:"RETRIES_QUEUE_URL,required,notEmpty"`
	DeadLetters   string            `env:"DEAD_LETTERS_QUEUE_URL,required,notEmpty"`
	EventBus      string            `env:"EVENT_BUS_NAME,required,notEmpty"`
	AllowedHosts  []string          `env:"ALLOWED_HOSTS,required,notEmpty"`
	Schedule      delivery.Schedule `env:"RETRY_SCHEDULE,required,notEmpty"`
	Timeout       time.Duration     `env:"DELIVERY_TIMEOUT,required,notEmpty"`
	RetentionDays int               `env:"RETENTION_DAYS,required,notEmpty"`
	LogLevel      string            `env:"LOG_LEVEL" envDefault:"info"`
	Version       string            `env:"VERSION" envDefault:"dev"`
	AllowLoopback bool              `env:"ALLOW_LOOPBACK"`
}

func main() {
	if err := run(context.Background(), env.ToMap(os.Environ())); err != nil {
		fmt.Fprintln(os.Stderr, "sender:", err)
		os.Exit(1)
	}
}

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
		retries  = queue.New(messages, cfg.Retries)
		watch    = &observer{
			log:     telemetry.NewLogger(out, cfg.LogLevel, "sender", cfg.Version),
			metrics: telemetry.NewMetrics(out, "sender", time.Now),
			bus:     eventbridge.NewFromConfig(sdk), busName: cfg.EventBus, now: time.Now,
		}
	)
	h := handler{
		sender: &delivery.Sender{
			Log: store, Line: store, Gate: store, Eraser: store,
			Tokens: queue.Tokens{Queue: retries}, Deliveries: queue.New(messages, cfg.Deliveries), Retries: retries,
			Poster: webhook.NewClient(webhook.Options{Timeout: cfg.Timeout, Version: cfg.Version,
				Rules: webhook.Rules{AllowedHosts: cfg.AllowedHosts, AllowLoopback: cfg.AllowLoopback}}),
			Observer: watch, Fault: watch.fault,
			Now: time.Now, Jitter: rand.Float64, Schedule: cfg.Schedule, Timeout: cfg.Timeout,
			Retention: time.Duration(cfg.RetentionDays) * 24 * time.Hour,
		},
		deadLetters: queue.New(messages, cfg.DeadLetters),
		observer:    watch,
	}
	invocation.Start(ctx, h.handle, out)
	return nil
}
