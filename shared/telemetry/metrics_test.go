package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/telemetry"
)

func TestMetricsAreOneEmbeddedLine(t *testing.T) {
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, "sender", func() time.Time { return time.UnixMilli(1795421100123) })
	if err := m.Flush(); err != nil || out.Len() > 0 {
		t.Fatalf("nothing was counted: %v, %s", err, &out)
	}
	m.Count("Delivered", 2)
	m.Count("Delivered", 1)
	m.Count("Failed", 0)
	m.Milliseconds("AttemptDuration", 87500*time.Microsecond)
	m.Milliseconds("AttemptDuration", time.Second)
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("want one line: %s", &out)
	}
	var got, want any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{
		"_aws": {"Timestamp": 1795421100123, "CloudWatchMetrics": [{"Namespace": "AlbatoIntegration", "Dimensions": [["function"]],
			"Metrics": [{"Name": "Delivered", "Unit": "Count"}, {"Name": "Failed", "Unit": "Count"}, {"Name": "AttemptDuration", "Unit": "Milliseconds"}]}]},
		"function": "sender", "Delivered": 3, "Failed": 0, "AttemptDuration": [87.5, 1000]}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s", &out)
	}
	out.Reset()
	if err := m.Flush(); err != nil || out.Len() > 0 {
		t.Errorf("the second time there is nothing left: %s", &out)
	}
}

func TestMetricsUnderConcurrencyAndPastTheLimit(t *testing.T) {
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, "sender", nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				m.Count("Delivered", 1)
				m.Milliseconds("AttemptDuration", time.Millisecond)
			}
		})
	}
	wg.Wait()
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	var line struct {
		Delivered       int
		AttemptDuration []float64
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Delivered != 400 || len(line.AttemptDuration) != 100 {
		t.Errorf("%d counted, %d durations, error %v; want 400 and 100", line.Delivered, len(line.AttemptDuration), err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestFlushReportsAWriteError(t *testing.T) {
	m := telemetry.NewMetrics(brokenWriter{}, "sender", nil)
	m.Count("Delivered", 1)
	if m.Flush() == nil {
		t.Error("want the writer's error")
	}
}
