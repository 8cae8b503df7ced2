package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// functionNames are the functions, in the order in which an event meets them.
var functionNames = []string{"intake", "sender", "connections", "page"}

// maxStartRatio is how much longer than a function that does nothing a function may take to start.
const maxStartRatio = 2.5

// measureColdStarts starts each binary again and again, and the empty function between them, so that whatever else the
// machine does touches all alike.
func measureColdStarts(ctx context.Context, b *bench) error {
	binaries := map[string]string{"empty": filepath.Join(b.yardsticks, "empty", "bootstrap")}
	for _, f := range functionNames {
		binaries[f] = filepath.Join(b.functions, f, "bootstrap")
	}
	names := append([]string{"empty"}, functionNames...)
	times := map[string][]float64{}
	for n := range b.starts + 1 {
		for _, name := range names {
			took, err := coldStart(ctx, binaries[name])
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if n > 0 { // the first one warms the page cache
				times[name] = append(times[name], took.Seconds()*1000)
			}
		}
	}
	for _, name := range names {
		half := median(times[name])
		b.add(name+": start, median", half, "ms", nil)
		b.add(name+": start, p99", percentile(times[name], 99), "ms", nil)
		if name != "empty" {
			b.add(name+": start, ratio to the empty one", half/median(times["empty"]), "×", atMost(maxStartRatio))
		}
		binary, zipped, err := sizes(binaries[name])
		if err != nil {
			return err
		}
		b.add(name+": binary", float64(binary)/1e6, "MB", nil)
		b.add(name+": zip", float64(zipped)/1e6, "MB", atMost(5))
	}
	return nil
}

// startTimeout is Lambda's own limit of an initialisation.
const startTimeout = 10 * time.Second

// coldStart is the time from the start of a process to its first request for work
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html: GET /2018-06-01/runtime/invocation/next).
func coldStart(ctx context.Context, bootstrap string) (time.Duration, error) {
	path, err := filepath.Abs(bootstrap)
	if err != nil {
		return 0, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	asked := make(chan time.Time, 1)
	runtime := &http.Server{ReadHeaderTimeout: startTimeout, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/2018-06-01/runtime/invocation/next" {
			asked <- time.Now()
		}
		<-r.Context().Done() // there is no work, only the end
	})}
	go func() { _ = runtime.Serve(listener) }()
	defer func() { _ = runtime.Close() }()

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String()}, startEnvironment...)
	cmd.Stderr = os.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // that it was killed is no news
	}()
	select {
	case at := <-asked:
		return at.Sub(began), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("no request for work: %w", ctx.Err())
	}
}

// startEnvironment is what Lambda and the template give; each function takes what it needs.
var startEnvironment = []string{
	"AWS_LAMBDA_FUNCTION_NAME=bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "_HANDLER=bootstrap",
	"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_SESSION_TOKEN=bench", "TZ=:UTC",
	"TABLE_NAME=table", "SECRET_ID=secret", "EVENT_BUS_NAME=default", "ALLOWED_HOSTS=h.albato.ru,h.albato.com",
	"DELIVERIES_QUEUE_URL=https://sqs.eu-central-1.amazonaws.com/000000000000/deliveries.fifo",
	"RETRIES_QUEUE_URL=https://sqs.eu-central-1.amazonaws.com/000000000000/retries.fifo",
	"DEAD_LETTERS_QUEUE_URL=https://sqs.eu-central-1.amazonaws.com/000000000000/dead-letters.fifo",
	"RETRY_SCHEDULE=5s,30s,2m", "DELIVERY_TIMEOUT=10s", "RETENTION_DAYS=30", "VERSION=bench",
	"FRAME_ANCESTORS='self'", "REGISTRATION_URL=https://albato.ru/",
}

// sizes are those of a binary and of the archive that is uploaded of it.
func sizes(path string) (binary, zipped int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	var size counter
	archive := zip.NewWriter(&size)
	entry, err := archive.Create("bootstrap")
	if err != nil {
		return 0, 0, err
	}
	if binary, err = io.Copy(entry, f); err != nil {
		return 0, 0, err
	}
	if err := archive.Close(); err != nil {
		return 0, 0, err
	}
	return binary, int64(size), nil
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
