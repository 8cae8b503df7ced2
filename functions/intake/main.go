// Command intake takes the Academy's events (POST /v1/events) and queues one delivery for each connection of the account
// that wants it.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/caarlos0/env/v11"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/auth"
	"github.com/nethouse-academy/albato/shared/awsclient"
	"github.com/nethouse-academy/albato/shared/invocation"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

// config is the function's environment; the template sets all of it.
type config struct {
	Table      string `env:"TABLE_NAME,required,notEmpty"`
	Deliveries string `env:"DELIVERIES_QUEUE_URL,required,notEmpty"`
	SecretID   string `env:"SECRET_ID,required,notEmpty"`
	LogLevel   string `env:"LOG_LEVEL" envDefault:"info"`
	Version    string `env:"VERSION" envDefault:"dev"`
}

func main() {
	if err := run(context.Background(), env.ToMap(os.Environ())); err != nil {
		fmt.Fprintln(os.Stderr, "intake:", err)
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
	out := telemetry.NewOutput(os.Stdout)
	logger := telemetry.NewLogger(out, cfg.LogLevel, "intake", cfg.Version)
	h := handler{
		connections: table.New(dynamodb.NewFromConfig(sdk), cfg.Table, time.Now),
		queue:       queue.New(sqs.NewFromConfig(sdk), cfg.Deliveries),
		metrics:     telemetry.NewMetrics(out, "intake", time.Now),
		log:         logger,
		now:         time.Now,
	}
	keys := auth.NewKeys(auth.FromSecretsManager(secretsmanager.NewFromConfig(sdk), cfg.SecretID), time.Now)
	invocation.Start(ctx, apigw.Handler(h.routes(keys), apigw.WithLogger(logger)), out)
	return nil
}

// logged writes what the request line does not say; ids alone, never a part of the event.
func (h *handler) logged(ctx context.Context, message string, attrs ...slog.Attr) {
	h.log.LogAttrs(ctx, slog.LevelInfo, message, append(attrs, slog.String(telemetry.RequestID, apigw.RequestID(ctx)))...)
}
