// Command run starts the whole product on this machine and runs it until Ctrl-C: what `make run` runs.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/nethouse-academy/albato/shared/local"
)

func main() {
	debug.SetGCPercent(400) // its work is short-lived requests and a small table: memory for time
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		stop()
		os.Exit(1)
	}
}

const (
	built   = ".build"
	account = "academy-1001"
)

func run(ctx context.Context, getenv func(string) string, out *os.File) error {
	o, err := local.OptionsFromEnvironment(getenv)
	if err != nil {
		return err
	}
	o.Template, o.Functions = "template.yaml", filepath.Join(built, "run")
	o.Log = readable(out)
	began := time.Now()
	s, err := local.Start(ctx, o)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := writeEnvironment(s); err != nil {
		return err
	}
	page := s.URL + "/page"
	link, err := s.PageLink(ctx, account)
	if err == nil {
		page = link
	}
	printStart(out, s, page, time.Since(began))
	<-ctx.Done()
	fmt.Fprintln(out, "\nstopping")
	s.Close()
	return nil
}

// writeEnvironment writes what `make sam-invoke` needs to work on this stack's data.
func writeEnvironment(s *local.Stack) error {
	text, err := json.MarshalIndent(s.Environment, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(environmentFile, append(text, '\n'), 0o644)
}

var environmentFile = filepath.Join(built, "env.json")

func printStart(w io.Writer, s *local.Stack, page string, took time.Duration) {
	fmt.Fprintf(w, `
The Albato integration runs on this machine (started in %d ms).

  API           %s/v1
  API key       %s
  page          %s
  stand-in      %s/albato   shows what an organiser's link received

Connect an organiser's link, switch it on, send it an order:

  %s

  %s

  %s

The same data for other programs (any credentials, region eu-central-1):

  DynamoDB      %s   table  %s
  SQS           %s   queues %s
  AWS CLI       aws --endpoint-url %[9]s dynamodb scan --table-name %[10]s
  SAM CLI       make sam-invoke   runs every function's sample events in Lambda's container on this data

Ctrl-C stops.

`, took.Milliseconds(), s.URL, s.APIKey, page, s.URL, connectLine(s), enableLine(s), eventLine(s),
		s.Endpoints["AWS_ENDPOINT_URL_DYNAMODB"], s.Tables["Table"], s.Endpoints["AWS_ENDPOINT_URL_SQS"],
		s.Queues["DeliveriesQueue"]+", "+s.Queues["RetriesQueue"]+", "+s.Queues["DeadLettersQueue"])
}

func connections(s *local.Stack) string { return s.URL + "/v1/accounts/" + account + "/connections" }

func connectLine(s *local.Stack) string {
	return fmt.Sprintf(`curl -X POST %s -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{"name":"CRM","webhook_url":"%s/albato/wh/38/crm0001/try-it/","actions":["order_complete"]}'`,
		connections(s), s.APIKey, s.URL)
}

// enableLine finds the connection by itself, so that it works in another shell too.
func enableLine(s *local.Stack) string {
	return fmt.Sprintf(`curl -X PATCH %[1]s/$(curl -s %[1]s -H 'Authorization: Bearer %[2]s' | grep -o 'con_[A-Za-z0-9]*' | head -n 1) -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -d '{"enabled":true}'`,
		connections(s), s.APIKey)
}

func eventLine(s *local.Stack) string {
	return fmt.Sprintf(`curl -X POST %s/v1/events -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{"id":"try-'$(date +%%s)'","account_id":"%s","occurred_at":"'$(date -u +%%Y-%%m-%%dT%%H:%%M:%%SZ)'","data":{"action":"order_complete","order":{"id":9840012,"is_completed":true},"order_tickets":[]}}'`,
		s.URL, s.APIKey, account)
}
