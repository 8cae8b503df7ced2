// Package apigateway serves HTTP as an Amazon API Gateway HTTP API does in front of Lambda functions: its routes, its
// payload format 2.0, its limits and its own few answers.
//
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//	https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
package apigateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxRequest         = 10 << 20 // bytes of a body
	integrationTimeout = 30 * time.Second
	stage              = "$default"
)

// Invoker runs the function behind a route.
type Invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Route sends what its pattern takes to a function. Method is a method or ANY; Path may hold {name} segments and end in
// a greedy {name+}. A route with neither is $default: it takes what no other route takes.
type Route struct {
	Method, Path string
	Function     Invoker
}

// Gateway is one HTTP API; it is an http.Handler.
type Gateway struct {
	routes   []compiled
	fallback Invoker
}

type compiled struct {
	key      string // "ANY /v1/events", as the payload names it
	method   string
	segments []string
	function Invoker
}

// New makes a gateway of routes. Two routes of one method and path are an error, and so is a greedy segment that is not
// the last.
func New(routes []Route) (*Gateway, error) {
	g := &Gateway{}
	seen := map[string]bool{}
	for _, r := range routes {
		if r.Method == "" && r.Path == "" {
			if g.fallback != nil {
				return nil, errors.New("two $default routes")
			}
			g.fallback = r.Function
			continue
		}
		c := compiled{strings.ToUpper(r.Method) + " " + r.Path, strings.ToUpper(r.Method), strings.Split(r.Path, "/")[1:], r.Function}
		if !strings.HasPrefix(r.Path, "/") || r.Method == "" {
			return nil, fmt.Errorf("route %q: a method and a path that begins with / are needed", c.key)
		}
		for i, s := range c.segments {
			if strings.HasSuffix(s, "+}") && i != len(c.segments)-1 {
				return nil, fmt.Errorf("route %q: only the last segment may be greedy", c.key)
			}
		}
		if seen[c.key] {
			return nil, fmt.Errorf("route %q stands twice", c.key)
		}
		seen[c.key] = true
		g.routes = append(g.routes, c)
	}
	return g, nil
}

// ServeHTTP serves one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := requestID()
	w.Header().Set("Apigw-Requestid", id)
	function, key, parameters := g.match(r.Method, r.URL.Path)
	if function == nil {
		answer(w, http.StatusNotFound, "Not Found")
		return
	}
	body, err := readBody(r)
	if err != nil {
		if errors.Is(err, errTooLong) {
			w.Header().Set("Connection", "close")
			answer(w, http.StatusRequestEntityTooLarge, "Request Too Long")
			return
		}
		answer(w, http.StatusBadRequest, "Bad Request")
		return
	}
	payload, err := encodeRequest(request{r, key, id, parameters, body, time.Now()})
	if err != nil {
		answer(w, http.StatusBadRequest, "Bad Request")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), integrationTimeout)
	defer cancel()
	out, err := function.Invoke(ctx, payload)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		answer(w, http.StatusServiceUnavailable, "Service Unavailable")
	case err != nil:
		answer(w, http.StatusInternalServerError, "Internal Server Error")
	default:
		if err := writeResponse(w, out); err != nil {
			answer(w, http.StatusInternalServerError, "Internal Server Error")
		}
	}
}

// match finds the route of a request. A route without variables goes before one with, one with a variable before a
// greedy one, and a method before ANY; $default is last.
func (g *Gateway) match(method, path string) (Invoker, string, map[string]string) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var best *compiled
	var parameters map[string]string
	bestRank := -1
	for i := range g.routes {
		c := &g.routes[i]
		if c.method != "ANY" && c.method != method {
			continue
		}
		p, rank, ok := c.match(segments)
		if c.method != "ANY" {
			rank += 3
		}
		if ok && rank > bestRank {
			best, parameters, bestRank = c, p, rank
		}
	}
	if best == nil {
		return g.fallback, stage, nil
	}
	return best.function, best.key, parameters
}

func (c *compiled) match(segments []string) (parameters map[string]string, rank int, ok bool) {
	rank = 2
	for i, s := range c.segments {
		if i >= len(segments) {
			return nil, 0, false
		}
		name, variable := strings.CutPrefix(s, "{")
		if !variable {
			if s != segments[i] {
				return nil, 0, false
			}
			continue
		}
		if parameters == nil {
			parameters = map[string]string{}
		}
		if name, greedy := strings.CutSuffix(name, "+}"); greedy {
			rest := strings.Join(segments[i:], "/")
			parameters[name] = rest
			return parameters, 0, rest != ""
		}
		if segments[i] == "" {
			return nil, 0, false
		}
		parameters[strings.TrimSuffix(name, "}")] = segments[i]
		rank = 1
	}
	return parameters, rank, len(segments) == len(c.segments)
}

var errTooLong = errors.New("the body is over 10 MB")

func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxRequest {
		return nil, errTooLong
	}
	if r.ContentLength >= 0 {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err == nil && len(body) > maxRequest {
		return nil, errTooLong
	}
	return body, err
}

// answer is an answer of the gateway's own.
func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"message":"`+message+`"}`)
}

// requestID looks like those of HTTP APIs: 15 characters of base64 and a closing equals sign.
func requestID() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	id := make([]byte, 16)
	n := rand.Uint64()
	for i := range 10 {
		id[i] = letters[n>>(6*i)&63]
	}
	n = rand.Uint64()
	for i := range 5 {
		id[10+i] = letters[n>>(6*i)&63]
	}
	id[15] = '='
	return string(id)
}

// sourceIP is the address of the client, without its port.
func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// queryParameters are the decoded parameters; values of one name are joined by commas.
func queryParameters(raw string) (map[string]string, error) {
	if raw == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(values))
	for name, v := range values {
		out[name] = strings.Join(v, ",")
	}
	return out, nil
}
