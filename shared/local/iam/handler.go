package iam

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Resolver makes ARNs of what requests name.
type Resolver interface {
	// ARN is that of a table's, queue's, secret's or bus's name; service is dynamodb, sqs, secretsmanager or events.
	ARN(service, name string) string
}

// Handler holds the requests for a service to the roles of whoever signed them. service is dynamodb, sqs,
// secretsmanager or events.
func (g *Guard) Handler(service string, arns Resolver, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := accessKey(r.Header.Get("Authorization"))
		g.mu.RLock()
		_, held := g.roles[key]
		g.mu.RUnlock()
		if held {
			body := make([]byte, max(r.ContentLength, 0)) // the SDKs always tell
			if _, err := io.ReadFull(r.Body, body); err != nil {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
			for _, action := range actions(operation, body) {
				for _, name := range names(service, operation, body) {
					if err := g.Check(key, service+":"+action, arns.ARN(service, name)); err != nil {
						deny(w, err)
						return
					}
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// accessKey reads who signed: AWS4-HMAC-SHA256 Credential=<key>/<date>/…
func accessKey(authorization string) string {
	_, after, _ := strings.Cut(authorization, "Credential=")
	key, _, _ := strings.Cut(after, "/")
	return key
}

func deny(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": "AccessDeniedException", "message": err.Error()})
}

// actions are what an operation needs: mostly itself, but a batch at SQS needs what one of it would need, and a
// transaction at DynamoDB what its parts would
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html).
func actions(operation string, body []byte) []string {
	switch operation {
	case "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch":
		return []string{strings.TrimSuffix(operation, "Batch")}
	case "TransactGetItems":
		return []string{"GetItem"}
	case "TransactWriteItems":
		var out []string
		for _, part := range []struct{ member, action string }{
			{"Put", "PutItem"}, {"Update", "UpdateItem"}, {"Delete", "DeleteItem"}, {"ConditionCheck", "ConditionCheckItem"},
		} {
			if hasMember(body, part.member) {
				out = append(out, part.action)
			}
		}
		return out
	}
	return []string{operation}
}

// hasMember tells whether a JSON text has an object under that name somewhere. A quote within a string is escaped, so
// no string's content can look like it.
func hasMember(body []byte, name string) bool {
	return bytes.Contains(body, []byte(`"`+name+`":{`))
}

// names are the tables, queues, secrets and buses that a request names.
func names(service, operation string, body []byte) []string {
	switch {
	case operation == "BatchGetItem" || operation == "BatchWriteItem":
		var in struct{ RequestItems map[string]jsontext.Value }
		if jsonv2.Unmarshal(body, &in) != nil {
			return nil // the service will say what is wrong with it
		}
		return slices.Collect(maps.Keys(in.RequestItems))
	case service == "dynamodb":
		return members(body, "TableName")
	case service == "sqs":
		return lastParts(members(body, "QueueUrl"))
	case service == "secretsmanager":
		return members(body, "SecretId")
	default:
		return lastParts(members(body, "EventBusName"))
	}
}

// members are the texts under a name in compact JSON, which the SDKs write. Every request passes here, so it is not
// parsed: as above, no string's content can look like a member.
func members(body []byte, name string) []string {
	var out []string
	for {
		_, after, found := bytes.Cut(body, []byte(`"`+name+`":"`))
		if !found {
			return out
		}
		value, rest, _ := bytes.Cut(after, []byte(`"`))
		if s := string(value); !slices.Contains(out, s) {
			out = append(out, s)
		}
		body = rest
	}
}

// lastParts are what follows the last slash: the names in queue URLs and in ARNs of buses.
func lastParts(paths []string) []string {
	for i, p := range paths {
		paths[i] = p[strings.LastIndexByte(p, '/')+1:]
	}
	return paths
}
