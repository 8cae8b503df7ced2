package apigw

import (
	"context"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// call is what the adapter knows of the request it serves.
type call struct {
	requestID string
	err       error // the error last answered by WriteError
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// RequestID returns the id of the request being served, for answers and log lines; it is empty
// outside of Handler.
func RequestID(ctx context.Context) string {
	if c := callOf(ctx); c != nil {
		return c.requestID
	}
	return ""
}

const maxRequestID = 128

func requestID(ev *events.APIGatewayV2HTTPRequest) string {
	id := header(ev, "x-request-id")
	// A caller who gives his token as the id, by mistake, shall not find it in the log.
	if saneID(id) && !strings.HasSuffix(header(ev, "authorization"), " "+id) {
		return id
	}
	return ev.RequestContext.RequestID
}

// header finds a header by its name in lower case, which payload 2.0 gives.
func header(ev *events.APIGatewayV2HTTPRequest, name string) string {
	if v, ok := ev.Headers[name]; ok {
		return v
	}
	for k, v := range ev.Headers {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// saneID takes what is harmless in a header and in a log line.
func saneID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	return strings.IndexFunc(id, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("_.:=-", c))
	}) < 0
}
