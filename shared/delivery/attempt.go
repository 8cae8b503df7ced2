package delivery

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/webhook"
)

// maxParallel bounds the simultaneous requests to one link.
const maxParallel = 10

// job is one delivery on its way through an invocation.
type job struct {
	delivery Delivery
	retry    string // of the message that brought it
	progress progress
}

// progress is how far a job has come.
type progress int

const (
	notBegun progress = iota
	tooEarly          // another message of the same delivery comes first
	handled           // nothing to do: the log says that it is done or waits
	finished          // delivered, refused for good or skipped: an entry to log
	notTaken          // an attempt was made, and the event has to wait
	held              // it waits, in the line
	ourFault          // nothing is known of the attempt; the message comes back
)

// round is what attempts at a connection came to.
type round struct {
	trouble    bool // an attempt was not taken
	gone       bool // the receiver said 410
	alive      bool // the receiver took or refused something: the link lives
	status     int  // of the first attempt that was not taken
	code       string
	retryAfter time.Duration
	outOfTime  bool // something was not begun for lack of time
}

func (r *round) note(j *job, v Verdict, result webhook.Result) {
	r.alive = r.alive || v == Success || v == Refusal
	if j.progress != notTaken {
		return
	}
	if !r.trouble {
		r.trouble, r.status, r.code = true, result.Status, result.Code
	}
	r.gone = r.gone || v == Gone
	r.retryAfter = max(r.retryAfter, result.RetryAfter)
}

// tryAll makes one attempt at each job: orders concurrently, the jobs of one order one after another, and none of an
// order behind one that did not get through. It returns when all have ended.
func (s *Sender) tryAll(ctx context.Context, c connection.Connection, jobs []*job, b budget) round {
	var (
		mu    sync.Mutex
		r     round
		group sync.WaitGroup
		slots = make(chan struct{}, maxParallel)
	)
	for _, order := range byOrder(jobs) {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			for _, j := range order {
				if !b.enough() {
					mu.Lock()
					r.outOfTime = true
					mu.Unlock()
					return
				}
				v, result := s.try(ctx, c, j, b)
				mu.Lock()
				r.note(j, v, result)
				mu.Unlock()
				if j.progress != finished {
					return
				}
			}
		})
	}
	group.Wait()
	return r
}

// byOrder splits jobs by their order, keeping the order of both.
func byOrder(jobs []*job) [][]*job {
	var orders [][]*job
	index := make(map[string]int, len(jobs))
	for _, j := range jobs {
		i, ok := index[j.delivery.OrderID]
		if !ok {
			i = len(orders)
			index[j.delivery.OrderID] = i
			orders = append(orders, nil)
		}
		orders[i] = append(orders[i], j)
	}
	return orders
}

// try makes one attempt and notes it in the job's delivery. A panic is our fault, and only this job's.
func (s *Sender) try(ctx context.Context, c connection.Connection, j *job, b budget) (v Verdict, result webhook.Result) {
	defer func() {
		if p := recover(); p != nil {
			v, j.progress = OwnFault, ourFault
			s.Fault(ctx, "making an attempt", &PanicError{p})
		}
	}()
	d := &j.delivery
	now := s.Now()
	result = s.Poster.Post(ctx, webhook.Request{Link: c.Link, DeliveryID: d.ID, Attempt: d.Attempts + 1, Body: d.Body,
		Secrets: c.Secrets(now), Timeout: b.attempt})
	if v = Judge(result.Status, result.Code); v == OwnFault {
		j.progress = ourFault
		return v, result
	}
	d.Note(Attempt{At: now, Status: result.Status, Error: result.Code, Duration: result.Duration, Response: string(result.Response)})
	switch {
	case v == Success:
		j.finish(Delivered)
	case v == Refusal && d.refusals() >= 2:
		j.finish(Failed)
	default:
		j.progress = notTaken
	}
	s.Observer.Attempted(ctx, *d, v)
	return v, result
}

// finish gives the job its last status.
func (j *job) finish(status Status) {
	j.delivery.Status, j.delivery.Retry, j.progress = status, j.retry, finished
}

// with lists the jobs that have come so far, in their order.
func with(jobs []*job, p ...progress) []*job {
	var some []*job
	for _, j := range jobs {
		if slices.Contains(p, j.progress) {
			some = append(some, j)
		}
	}
	return some
}

// entries lists what is to be logged of jobs.
func entries(jobs []*job) []Delivery {
	all := make([]Delivery, len(jobs))
	for i, j := range jobs {
		all[i] = j.delivery
	}
	return all
}
