package telemetry_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nethouse-academy/albato/shared/telemetry"
)

// writes counts what reaches the log.
type writes struct {
	mu    sync.Mutex
	text  bytes.Buffer
	calls int
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	return w.text.Write(p)
}

func (w *writes) so() (calls int, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls, w.text.String()
}

func TestLinesOfAnInvocationAreWrittenTogether(t *testing.T) {
	var w writes
	o := telemetry.NewOutput(&w)
	fmt.Fprintln(o, "one")
	fmt.Fprintln(o, "two")
	if calls, _ := w.so(); calls != 0 {
		t.Errorf("%d writes before the end", calls)
	}
	for range 2 { // the second finds nothing
		if err := o.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if calls, text := w.so(); calls != 1 || text != "one\ntwo\n" {
		t.Errorf("%d writes: %q", calls, text)
	}
}

func TestNothingIsHeldForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w writes
		o := telemetry.NewOutput(&w)
		for n := range 3 { // the first line after a pause begins the time anew
			fmt.Fprintln(o, n)
			time.Sleep(49 * time.Millisecond)
			synctest.Wait()
			if calls, _ := w.so(); calls != n {
				t.Errorf("line %d: %d writes after 49 ms", n, calls)
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if calls, _ := w.so(); calls != n+1 {
				t.Errorf("line %d: %d writes after 50 ms", n, calls)
			}
		}
	})
}

func TestMuchIsWrittenAtOnce(t *testing.T) {
	var w writes
	o := telemetry.NewOutput(&w)
	fmt.Fprintln(o, strings.Repeat("x", 20<<10))
	fmt.Fprintln(o, strings.Repeat("y", 20<<10))
	if calls, text := w.so(); calls != 1 || len(text) != 40<<10+2 {
		t.Errorf("%d writes of %d bytes", calls, len(text))
	}
}

func TestNoLineIsLostAmongMany(t *testing.T) {
	var w writes
	o := telemetry.NewOutput(&w)
	var group sync.WaitGroup
	for k := range 8 {
		group.Go(func() {
			for n := range 200 {
				fmt.Fprintf(o, "%d-%d\n", k, n)
				if n%50 == 0 {
					_ = o.Flush()
				}
			}
		})
	}
	group.Wait()
	_ = o.Flush()
	_, text := w.so()
	if lines := strings.Count(text, "\n"); lines != 1600 {
		t.Errorf("%d lines, want 1600", lines)
	}
}
