package main

import (
	"strings"
	"testing"
)

func TestReadableLine(t *testing.T) {
	for line, want := range map[string]string{
		"plain words": "plain words",
		"Sender      | process 5 ended with error: signal: killed": "Sender      | process 5 ended with error: signal: killed",
		`Intake      | {"Accepted":1,"_aws":{"Timestamp":1}}`:      "",
		`Intake      | {"broken`:                                   `Intake      | {"broken`,
	} {
		if got := readableLine(line); got != want {
			t.Errorf("%s\nbecame %q, want %q", line, got, want)
		}
	}
	got := readableLine(`Sender      | {"time":"2026-11-23T14:47:14.892641153Z","level":"INFO","msg":"delivery attempted","service":"sender","version":"dev","attempt":1,"order":12345678901234567890,"code":"","status":200}`)
	if _, after, _ := strings.Cut(got, " "); after != "Sender      INFO  delivery attempted  attempt=1  order=12345678901234567890  status=200" || !strings.Contains(got, ".892 ") {
		t.Errorf("%q", got)
	}
}
