package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/local/lambda"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// measureFloor invokes two functions that have nothing of ours in them: one that does nothing, which is two exchanges of
// HTTP over the loopback interface, the request for work and the answer; and one that makes the intake's two calls to AWS.
// No intake can cost less on this machine.
func measureFloor(ctx context.Context, b *bench) error {
	account := "floor"
	aws, err := serveAWS(ctx, account)
	if err != nil {
		return err
	}
	defer aws.close()
	payload := newBatch("floor", 1, tenant{account, ""}).bodies[0]
	for _, f := range []struct {
		folder, name string
		payload      []byte
		environment  []string
	}{
		{"empty", "empty function", []byte("{}"), nil},
		{"calls", "two calls to AWS and nothing else", payload, append(aws.environment, "PARTITION=ACCOUNT#"+account)},
	} {
		if err := measureFunction(ctx, b, f.folder, f.name, f.payload, f.environment); err != nil {
			return err
		}
	}
	return nil
}

// goSettings are the template's settings of Go's runtime.
var goSettings = []string{"GOMAXPROCS=1", "GOGC=400", "GODEBUG=schedtrace=2147483647"}

func measureFunction(ctx context.Context, b *bench, folder, name string, payload []byte, environment []string) error {
	processes := 2 * runtime.NumCPU()
	r := lambda.NewRuntime(io.Discard)
	defer r.Close()
	f := r.Function(lambda.Config{Name: folder, Dir: filepath.Join(b.yardsticks, folder), Handler: "bootstrap", Memory: 512,
		Timeout: 10 * time.Second, Limit: processes, Patience: time.Millisecond, // soon as many as the load has
		Env: append(environment, goSettings...)})
	invoke := func(each int) error {
		var group sync.WaitGroup
		failed := make([]error, processes)
		for k := range processes {
			group.Go(func() {
				for n := 0; n < each && failed[k] == nil; n++ {
					_, failed[k] = f.Invoke(ctx, payload)
				}
			})
		}
		group.Wait()
		return errors.Join(failed...)
	}
	if err := invoke(100); err != nil {
		return err
	}
	each := max(100, b.events/8)
	measured, began := meter(os.Getpid()), time.Now()
	if err := invoke(each); err != nil {
		return err
	}
	took, u := time.Since(began), measured()
	total := float64(each * processes)
	b.add(name+": invocations", total/took.Seconds(), "a second", nil)
	b.add(name+": CPU of the function", u.functions().Seconds()*1000/total*1000, "ms/1,000", nil)
	b.add(name+": CPU of the stand-in", u.stack.Seconds()*1000/total*1000, "ms/1,000", nil)
	return nil
}

// servedAWS is a DynamoDB with one connection and an SQS, each on a port, and the environment that leads a function there.
type servedAWS struct {
	environment []string
	servers     []*http.Server
}

func serveAWS(ctx context.Context, account string) (*servedAWS, error) {
	services, err := inmemory.New(nil, 0)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	store := table.New(services.DB(nil), inmemory.TableName, time.Now)
	err = store.Create(ctx, connection.Connection{ID: "con_" + account, AccountID: account, Name: "CRM", Enabled: true, Version: 1,
		Link: webhook.Link("https://h.albato.ru/wh/38/" + account + "/"), Actions: []event.Action{event.OrderUpdate},
		CreatedAt: now, UpdatedAt: now, Secret: webhook.NewSecret(), Health: connection.Health{State: connection.Healthy, Since: now}})
	if err != nil {
		return nil, err
	}
	s := &servedAWS{environment: []string{"TABLE_NAME=" + inmemory.TableName, "QUEUE_URL=" + services.Deliveries,
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=floor", "AWS_SECRET_ACCESS_KEY=local"}}
	for variable, handler := range map[string]http.Handler{"AWS_ENDPOINT_URL_DYNAMODB": services.DynamoDB, "AWS_ENDPOINT_URL_SQS": services.SQS} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.close()
			return nil, err
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = server.Serve(l) }()
		s.servers = append(s.servers, server)
		s.environment = append(s.environment, variable+"=http://"+l.Addr().String())
	}
	return s, nil
}

func (s *servedAWS) close() {
	for _, server := range s.servers {
		_ = server.Close()
	}
}
