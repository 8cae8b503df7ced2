//go:build deploy

// The stack as `sam deploy` leaves it, on MiniStack: an emulator of AWS that this project has no part in. It runs
// CloudFormation with AWS's own SAM translator, an HTTP API, event source mappings, DynamoDB, SQS, Secrets Manager, and
// the functions' binaries.
//
// Where MiniStack 1.5 differs from AWS, and what the test does about it; the product knows nothing of it:
//
//   - CloudFormation makes no routes from the OpenAPI document in AWS::ApiGatewayV2::Api's Body, which is all that SAM
//     writes. The test reads that document from the deployed template and makes its routes by the API.
//   - There is no CodeDeploy, so Globals.Function.DeploymentPreference is taken out of the template. Versions and the
//     alias live stay in.
//   - Alarms of more than one metric are refused, so theirs is replaced by a single one.
//   - The functions' links may lead to this machine (ALLOW_LOOPBACK), since the receiver is here.
//   - IAM policies are stored, not enforced: whether a function may do what it does is not proved here. (The statements
//     are held to a list by the template's own test.)
//   - Alarms, the dashboard, log groups, reserved concurrency, KMS and the queue policy are stored, and mean nothing.
//   - The API has the address <id>.execute-api.localhost, sent as the Host header.
package deployed_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// receiver is the organiser's link.
type receiver struct {
	mu     sync.Mutex
	bodies []string
	ids    map[string]int // webhook-id: how often
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append(r.bodies, string(body))
	r.ids[q.Header.Get("Webhook-Id")]++
	w.WriteHeader(http.StatusOK)
}

func (r *receiver) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies)
}

// actions in the order in which a buyer causes them.
var actions = []string{"order_create", "order_ticket_create", "order_ticket_update", "order_update", "order_complete", "order_ticket_cancel"}

func TestTheDeployedStackDoesTheMainJob(t *testing.T) {
	e := start(t)
	e.deploy(t)
	resources := e.resources(t)
	if n := e.routes(t, resources); n != 5 {
		t.Errorf("the API has %d routes, want 5", n)
	}
	api := api{t: t, emulator: e, host: resources["Api"] + ".execute-api.localhost:" + e.address[strings.LastIndexByte(e.address, ':')+1:]}
	api.want(200, "GET", "/healthz", nil)
	if status, body := api.call("GET", "/nowhere", nil); status != 404 || !bytes.Contains(body, []byte(`"code":"not_found"`)) {
		t.Errorf("an unknown path: %d %s", status, body)
	}
	if status, _ := api.call("GET", "/v1/accounts/academy-1001/connections", nil); status != 401 {
		t.Errorf("without a key: %d", status)
	}

	options := aws.Config{Region: region, BaseEndpoint: aws.String("http://" + e.address), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	secrets := secretsmanager.NewFromConfig(options)
	secret, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(resources["Secret"])})
	if err != nil {
		t.Fatal(err)
	}
	var keys struct {
		APIKey string `json:"api_key"`
	}
	if err := json.Unmarshal([]byte(*secret.SecretString), &keys); err != nil || len(keys.APIKey) != 48 {
		t.Fatalf("the generated key has %d characters (%v)", len(keys.APIKey), err)
	}
	api.key = keys.APIKey

	link := &receiver{ids: map[string]int{}}
	server := httptest.NewServer(link)
	defer server.Close()
	var connection struct{ ID string }
	api.decode(api.want(201, "POST", "/v1/accounts/academy-1001/connections",
		map[string]any{"webhook_url": server.URL + "/wh/38/abc/def/", "name": "CRM", "actions": actions, "enabled": true}), &connection)

	var want []string
	for _, action := range actions {
		text, err := os.ReadFile(filepath.Join(root, "shared/local/testdata/samples", action+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var event struct {
			ID        string          `json:"id"`
			AccountID string          `json:"account_id"`
			At        string          `json:"occurred_at"`
			Data      json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf(`{"id":%q,"action":%q,"occurred_at":%q,"account_id":%q,"test":false,"data":%s}`, event.ID, action, event.At, event.AccountID, event.Data))
		api.want(202, "POST", "/v1/events", json.RawMessage(text))
		api.want(202, "POST", "/v1/events", json.RawMessage(text)) // the Academy repeats what it saw no answer of
	}
	until(t, 2*time.Minute, "six deliveries", func() bool { return len(link.got()) >= len(want) })
	got := link.got()
	slices.Sort(got) // orders travel side by side; within one order the sequence is checked below
	sorted := slices.Clone(want)
	slices.Sort(sorted)
	if !slices.Equal(got, sorted) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(sorted, "\n"))
	}

	var page struct {
		Deliveries []struct {
			ID, Action, Status string
			Attempts           int
		}
	}
	path := "/v1/accounts/academy-1001/connections/" + connection.ID
	until(t, time.Minute, "the journal to show six deliveries", func() bool {
		api.decode(api.want(200, "GET", path+"/deliveries", nil), &page)
		return len(page.Deliveries) == len(want) && !slices.ContainsFunc(page.Deliveries, func(d struct {
			ID, Action, Status string
			Attempts           int
		}) bool {
			return d.Status != "delivered"
		})
	})
	for _, d := range page.Deliveries {
		if d.Attempts != 1 || link.ids[d.ID] != 1 {
			t.Errorf("%s: %d attempts, came %d times", d.Action, d.Attempts, link.ids[d.ID])
		}
	}
	var test struct{ Delivered bool }
	api.decode(api.want(200, "POST", path+"/test", map[string]any{"action": "order_complete"}), &test)
	if !test.Delivered {
		t.Error("a test send was not delivered")
	}

	// Deleting the stack keeps the data.
	e.cloudFormation(t, "DeleteStack", nil, nil)
	until(t, time.Minute, "the functions to be gone", func() bool { status, _ := api.call("GET", "/healthz", nil); return status != 200 })
	if left, err := dynamodb.NewFromConfig(options).Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(resources["Table"])}); err != nil || len(left.Items) < 8 {
		t.Errorf("the table is gone with the stack, or what is in it: %v", err)
	}
	for _, queue := range []string{"DeliveriesQueue", "RetriesQueue", "DeadLettersQueue"} {
		if _, err := sqs.NewFromConfig(options).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(resources[queue])}); err != nil {
			t.Errorf("%s is gone with the stack: %v", queue, err)
		}
	}
	if _, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(resources["Secret"])}); err != nil {
		t.Errorf("the secret is gone with the stack: %v", err)
	}
}

// api is the deployed HTTP API.
type api struct {
	t         *testing.T
	emulator  *emulator
	host, key string
}

func (a api) call(method, path string, in any) (int, []byte) {
	a.t.Helper()
	var body bytes.Buffer
	if raw, ok := in.(json.RawMessage); ok {
		body.Write(raw)
	} else if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			a.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, "http://"+a.emulator.address+path, &body)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Host = a.host
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.key != "" {
		r.Header.Set("Authorization", "Bearer "+a.key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, answer
}

func (a api) want(status int, method, path string, in any) []byte {
	a.t.Helper()
	got, answer := a.call(method, path, in)
	if got != status {
		a.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, answer)
	}
	return answer
}

func (a api) decode(text []byte, into any) {
	a.t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		a.t.Fatal(err)
	}
}
