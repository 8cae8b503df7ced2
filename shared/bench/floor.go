package main

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/local/lambda"
)

// measureFloor invokes the function that does nothing: what an invocation costs on this machine before any of our code
// runs. It is two exchanges of HTTP over the loopback interface, the request for work and the answer; the intake makes two
// more for an event, its calls to AWS.
func measureFloor(ctx context.Context, b *bench) error {
	processes := 2 * runtime.NumCPU()
	r := lambda.NewRuntime(io.Discard)
	defer r.Close()
	f := r.Function(lambda.Config{Name: "empty", Dir: b.empty, Handler: "bootstrap", Memory: 512, Timeout: 10 * time.Second,
		Limit: processes, Env: []string{"GOMAXPROCS=1", "GOGC=400", "GODEBUG=schedtrace=2147483647"}}) // as the template has it
	invoke := func(each int) error {
		var group sync.WaitGroup
		failed := make([]error, processes)
		for k := range processes {
			group.Go(func() {
				for n := 0; n < each && failed[k] == nil; n++ {
					_, failed[k] = f.Invoke(ctx, []byte("{}"))
				}
			})
		}
		group.Wait()
		return errors.Join(failed...)
	}
	if err := invoke(100); err != nil {
		return err
	}
	each := max(100, b.events/8)
	measured, began := meter(os.Getpid()), time.Now()
	if err := invoke(each); err != nil {
		return err
	}
	took, u := time.Since(began), measured()
	total := float64(each * processes)
	b.add("empty function: invocations", total/took.Seconds(), "a second", nil)
	b.add("empty function: CPU of the function", u.functions().Seconds()*1000/total*1000, "ms/1,000", nil)
	b.add("empty function: CPU of the stand-in", u.stack.Seconds()*1000/total*1000, "ms/1,000", nil)
	return nil
}
