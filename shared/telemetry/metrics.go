package telemetry

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
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

// Flush writes one line with everything since the last Flush, or nothing if there was nothing. It
// belongs at the end of each invocation.
func (m *Metrics) Flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.counts) == 0 && len(m.times) == 0 {
		return nil
	}
	var definitions, values []byte // names are plain words of our own: %q writes them as JSON does
	for _, name := range slices.Sorted(maps.Keys(m.counts)) {
		definitions = fmt.Appendf(definitions, `,{"Name":%q,"Unit":"Count"}`, name)
		values = fmt.Appendf(values, `,%q:%d`, name, m.counts[name])
	}
	for _, name := range slices.Sorted(maps.Keys(m.times)) {
		definitions = fmt.Appendf(definitions, `,{"Name":%q,"Unit":"Milliseconds"}`, name)
		values = fmt.Appendf(values, `,%q:[`, name)
		for i, ms := range m.times[name] {
			if i > 0 {
				values = append(values, ',')
			}
			values = strconv.AppendFloat(values, ms, 'f', -1, 64)
		}
		values = append(values, ']')
	}
	_, err := fmt.Fprintf(m.w, `{"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":%q,"Dimensions":[["function"]],"Metrics":[%s]}]},"function":%q%s}`+"\n",
		m.now().UnixMilli(), Namespace, definitions[1:], m.function, values)
	clear(m.counts)
	clear(m.times)
	return err
}
