package apigw_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/apigw"
)

// The request id goes into logs and answers: the caller's own only if it is one, and is not his token.
func TestRequestIDs(t *testing.T) {
	handle := apigw.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, c := range map[string]struct{ id, authorization, want string }{
		"the caller's": {"caller-1", "Bearer key", "caller-1"}, "none": {"", "Bearer key", "gateway"}, "his token": {"key-1", "Bearer key-1", "gateway"},
		"his token, another scheme": {"key-1", "token key-1", "gateway"}, "an end of his token": {"1", "Bearer key-1", "1"},
		"with a line break": {"a\nb", "", "gateway"}, "with a space": {"a b", "", "gateway"}, "an address": {"anna@example.com", "", "gateway"},
	} {
		ev := events.APIGatewayV2HTTPRequest{RawPath: "/", Headers: map[string]string{"X-Request-Id": c.id, "Authorization": c.authorization}}
		ev.RequestContext.RequestID = "gateway"
		if res, err := handle(t.Context(), ev); err != nil || res.Headers["X-Request-Id"] != c.want {
			t.Errorf("%s: %q, want %q (%v)", name, res.Headers["X-Request-Id"], c.want, err)
		}
	}
}
