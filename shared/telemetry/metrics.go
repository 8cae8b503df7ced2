package telemetry

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

// Namespace is the CloudWatch namespace of our metrics.
const Namespace = "AlbatoIntegration"

// Metrics collects what one invocation did and writes it as one line in the CloudWatch embedded
// metric format
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
//
// The only dimension is the function: a metric for every customer would cost by the customer. It is
// safe for concurrent use.
type Metrics struct {
	w        io.Writer
	function string
	now      func() time.Time

	mu     sync.Mutex
	counts map[string]int64
	times  map[string][]float64
}

// maxValues is how many values of one metric a line may have by the specification.
const maxValues = 100

// NewMetrics returns metrics of a function that are written to w. now is the clock, nil for the
// real one.
func NewMetrics(w io.Writer, function string, now func() time.Time) *Metrics {
	if now == nil {
		now = time.Now
	}
	return &Metrics{w: w, function: function, now: now, counts: map[string]int64{}, times: map[string][]float64{}}
}

// Count adds n to a counter. Adding 0 makes the metric appear, so that alarms see a zero.
func (m *Metrics) Count(name string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[name] += int64(n)
}

// Milliseconds notes one duration. Of more than a hundred in one invocation only the first hundred
// are kept, the most one line may have.
func (m *Metrics) Milliseconds(name string, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v := m.times[name]; len(v) < maxValues {
		m.times[name] = append(v, float64(d.Microseconds())/1000)
	}
}

type metricDefinition struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

// Flush writes one line with everything since the last Flush, or nothing if there was nothing. It
// belongs at the end of each invocation.
func (m *Metrics) Flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.counts) == 0 && len(m.times) == 0 {
		return nil
	}
	line := map[string]any{"function": m.function}
	var defs []metricDefinition
	for name, n := range m.counts {
		line[name] = n
		defs = append(defs, metricDefinition{name, "Count"})
	}
	for name, v := range m.times {
		line[name] = v
		defs = append(defs, metricDefinition{name, "Milliseconds"})
	}
	slices.SortFunc(defs, func(a, b metricDefinition) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	line["_aws"] = map[string]any{
		"Timestamp": m.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Dimensions": [][]string{{"function"}}, "Metrics": defs,
		}},
	}
	clear(m.counts)
	clear(m.times)
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = m.w.Write(append(b, '\n'))
	return err
}
