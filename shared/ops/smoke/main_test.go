package main

import (
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

func TestSmokeAgainstTheLocalStack(t *testing.T) {
	stack := localtest.Start(t, local.Options{})
	var out strings.Builder
	s := smoke{url: stack.URL, key: stack.APIKey, patience: localtest.Patience, out: &out}
	if err := s.run(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"alive", "test sent: the link answered 200", "delivered once", "erased", "all is well"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}

	// A link that does not work is found, and what was made is erased all the same.
	out.Reset()
	s.link = stack.URL + "/albato/dead/?status=500"
	if err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "did not take a test: status 500") {
		t.Errorf("a dead link: %v", err)
	}
	if !strings.Contains(out.String(), "erased") || strings.Contains(out.String(), "all is well") {
		t.Errorf("a dead link: it says %s", out.String())
	}

	s.key, s.patience = "wrong", time.Second
	if err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong key: %v", err)
	}
	s = smoke{url: "https://api.example", out: &out}
	if err := s.run(t.Context()); err == nil || !strings.Contains(err.Error(), "no link") {
		t.Errorf("no link for a live stack: %v", err)
	}
}
