// Package local runs the whole product on one machine: the functions' very binaries, and around them what AWS would be:
// Lambda, API Gateway, event source mappings, DynamoDB, SQS, Secrets Manager and EventBridge, made from template.yaml
// itself, with a stand-in of Albato beside them. Everything is in memory and on the loopback interface. It is for a
// developer and for tests.
package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/nethouse-academy/albato/shared/local/albato"
	"github.com/nethouse-academy/albato/shared/local/dynamodb"
	"github.com/nethouse-academy/albato/shared/local/eventbridge"
	"github.com/nethouse-academy/albato/shared/local/eventsource"
	"github.com/nethouse-academy/albato/shared/local/iam"
	"github.com/nethouse-academy/albato/shared/local/lambda"
	"github.com/nethouse-academy/albato/shared/local/secretsmanager"
	"github.com/nethouse-academy/albato/shared/local/sqs"
	"github.com/nethouse-academy/albato/shared/local/template"
)

// Options say how to start a stack.
type Options struct {
	Template  string // path of template.yaml
	Functions string // folder with <function>/bootstrap for this machine
	Port      int    // of the API on 127.0.0.1; 0: any free one
	APIKey    string // "local-key" when empty
	// Parameters override the template's: RetrySchedule, DeliveryTimeout … VisibilityTimeout is a number of seconds.
	Parameters map[string]string
	// Log gets the functions' lines, each with its function's name, and the stack's own; nil: nowhere.
	Log io.Writer
}

// Stack is a running stack.
type Stack struct {
	URL    string // of the API, without a slash at the end
	APIKey string

	Albato   *albato.Server
	DynamoDB *dynamodb.Server
	SQS      *sqs.Server
	Secrets  *secretsmanager.Server
	Events   *eventbridge.Server

	// Endpoints are the addresses of the services, by the environment variable that leads an AWS SDK there.
	Endpoints map[string]string
	// Environment is each function's environment, by the function's logical id.
	Environment map[string]map[string]string
	// Policies are what each function may do, by its logical id. Whatever else it tries is denied.
	Policies map[string]iam.Policy
	// Functions are the functions, by logical id.
	Functions map[string]*lambda.Function
	// Tables and Queues are the physical names, by logical id.
	Tables, Queues map[string]string

	log      *lockedWriter
	guard    *iam.Guard
	runtime  *lambda.Runtime
	servers  []*http.Server
	mappings []*eventsource.Mapping
	stop     context.CancelFunc
	running  sync.WaitGroup // servers
	moving   sync.WaitGroup // event source mappings
	closing  sync.Once
}

// The services' environment variables: the AWS SDKs' own names.
const (
	dynamodbEndpoint       = "AWS_ENDPOINT_URL_DYNAMODB"
	sqsEndpoint            = "AWS_ENDPOINT_URL_SQS"
	secretsManagerEndpoint = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
	eventBridgeEndpoint    = "AWS_ENDPOINT_URL_EVENTBRIDGE"
)

// Start starts a stack. It runs until ctx ends or it is closed; Close it in any case, to wait for its end.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if o.APIKey == "" {
		o.APIKey = "local-key"
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	t, err := template.ReadFile(o.Template)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Stack{APIKey: o.APIKey, Albato: albato.New(), log: &lockedWriter{to: o.Log}, stop: stop, guard: iam.NewGuard(),
		Policies:  map[string]iam.Policy{},
		Endpoints: map[string]string{}, Environment: map[string]map[string]string{}, Functions: map[string]*lambda.Function{},
		Tables: map[string]string{}, Queues: map[string]string{}}
	s.runtime = lambda.NewRuntime(s.log)
	api, err := s.listen(o)
	if err == nil {
		if err = s.build(t, o, api); err != nil {
			api.Close()
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	for _, m := range s.mappings {
		s.moving.Go(func() { m.Run(ctx) })
	}
	for _, f := range s.Functions {
		f.Warm()
	}
	context.AfterFunc(ctx, s.Close)
	return s, nil
}

// listen opens the API's port and starts the services on ports of their own, next to it if those are free.
func (s *Stack) listen(o Options) (net.Listener, error) {
	api, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(o.Port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken by another program: end that one, or choose another port with PORT", o.Port)
	}
	if err != nil {
		return nil, err
	}
	s.URL = "http://" + api.Addr().String()

	s.DynamoDB = dynamodb.New(dynamodb.Options{Region: template.Region, Account: template.Account})
	s.SQS = sqs.New(sqs.Options{Region: template.Region, Account: template.Account})
	s.Secrets = secretsmanager.New()
	s.Events = eventbridge.New(cmp.Or(o.Parameters["EventBusName"], "default"), func(e eventbridge.Event) { s.logf("EventBridge", "%s from %s", e.DetailType, e.Source) })
	for i, service := range []struct {
		variable string
		handler  http.Handler
	}{
		{dynamodbEndpoint, s.guard.Handler("dynamodb", arns{}, s.DynamoDB)},
		{sqsEndpoint, s.guard.Handler("sqs", arns{}, s.SQS)},
		{secretsManagerEndpoint, s.guard.Handler("secretsmanager", arns{}, s.Secrets)},
		{eventBridgeEndpoint, s.guard.Handler("events", arns{}, s.Events)},
	} {
		port := 0
		if o.Port != 0 {
			port = o.Port + 1 + i
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				api.Close()
				return nil, err
			}
		}
		s.Endpoints[service.variable] = "http://" + l.Addr().String()
		s.serve(l, service.handler)
	}
	return api, nil
}

// Used tells which of its grants a function, given by its logical id, has used so far.
func (s *Stack) Used(function string) []iam.Grant { return s.guard.Used(function) }

func (s *Stack) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	s.running.Go(func() { _ = server.Serve(l) })
}

// Close ends the stack: nothing new is taken, what runs has three seconds, then every process is killed.
func (s *Stack) Close() {
	s.closing.Do(func() {
		s.stop()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if n := len(s.servers); n > 0 {
			_ = s.servers[n-1].Shutdown(ctx) // the API comes last: it is the first to end
		}
		moved := make(chan struct{})
		go func() { s.moving.Wait(); close(moved) }()
		select {
		case <-moved:
		case <-ctx.Done():
		}
		s.runtime.Close()
		<-moved
		for _, server := range s.servers {
			_ = server.Close()
		}
		s.running.Wait()
	})
}

func (s *Stack) logf(who, format string, args ...any) {
	fmt.Fprintf(s.log, "%-11s | %s\n", who, fmt.Sprintf(format, args...))
}

// lockedWriter lets several write whole lines to one place.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
