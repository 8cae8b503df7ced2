package delivery_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
	"github.com/nethouse-academy/albato/shared/event"
	"github.com/nethouse-academy/albato/shared/local/inmemory"
	"github.com/nethouse-academy/albato/shared/local/sqs"
	"github.com/nethouse-academy/albato/shared/queue"
	"github.com/nethouse-academy/albato/shared/table"
	"github.com/nethouse-academy/albato/shared/webhook"
)

const (
	account        = "academy-1"
	visibility     = 2 * time.Minute
	functionLimit  = 20 * time.Second
	attemptTimeout = 10 * time.Second
	forever        = 10000 * time.Hour
)

// world is everything around the protocol: the real table and queues over in-memory services, a stand-in of Lambda's
// event source mappings whose invocations may be hit by faults, and receivers that fail in every way. It lives in a
// synctest bubble, so that days of retries take no time; every call takes a random time, so that each seed is another
// interleaving.
type world struct {
	services *inmemory.Services
	table    *table.Table // without faults, for people's acts and for the books
	controls delivery.Controls
	intake   *queue.Queue

	seed    uint64
	faults  faultRates
	outages sync.WaitGroup
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu        sync.Mutex
	receivers map[string]*receiver // by connection
	accepted  []accepted
	retried   map[string]bool // deliveries that somebody asked for again
	sends     map[string][]send
	everOff   map[string]bool
	// waitedWhenOff says of a delivery that it waited in the line when its connection was last switched off.
	waitedWhenOff map[string]time.Time
	attempts      map[string][]time.Time // by connection
	faulty        []string               // our own faults that were reported
}

type accepted struct {
	id, connection, order string
	at                    time.Time
}

// send is one POST that the receiver took.
type send struct {
	at         time.Time
	seen       bool // the answer reached us
	invocation *invocation
}

// receiver is one connection's link.
type receiver struct {
	behaviour behaviour
	poison    map[string]int // delivery → the status with which it is always refused
	flapped   bool           // it was in trouble at some time, which can make an innocent event look guilty
	busy      time.Duration  // how long an answer takes, 0 for a random short time
}

type behaviour string

const (
	takes    behaviour = "takes"
	fails    behaviour = "fails"    // 500
	limits   behaviour = "limits"   // 429 with Retry-After
	hangs    behaviour = "hangs"    // until the timeout
	refuses  behaviour = "refuses"  // nobody listens
	flaps    behaviour = "flaps"    // takes or fails, at random
	deaf     behaviour = "deaf"     // takes, but the answer is lost
	is410    behaviour = "is410"    // gone
	isClosed behaviour = "isClosed" // 404
)

func newWorld(seed uint64, rates faultRates) (*world, error) {
	services, err := inmemory.New(time.Now, visibility)
	if err != nil {
		return nil, err
	}
	w := &world{services: services, faults: rates, seed: seed, receivers: map[string]*receiver{},
		retried: map[string]bool{}, sends: map[string][]send{}, everOff: map[string]bool{}, waitedWhenOff: map[string]time.Time{}, attempts: map[string][]time.Time{}}
	w.table = table.New(services.DB(nil), inmemory.TableName, time.Now)
	w.intake = queue.New(services.Queues(nil), services.Deliveries)
	w.controls = delivery.Controls{Tokens: queue.Tokens{Queue: queue.New(services.Queues(nil), services.Retries)}, Gate: w.table, Now: time.Now}
	return w, nil
}

// start runs the event source mappings: so many invocations of each queue at a time.
func (w *world) start(concurrency int) {
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	for _, url := range []string{w.services.Deliveries, w.services.Retries} {
		for range concurrency {
			w.done.Go(func() { w.poll(ctx, url) })
		}
	}
}

func (w *world) close() {
	w.stop()
	w.done.Wait()
}

// rates are the faults of this moment.
func (w *world) rates() faultRates {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.faults
}

// sent are the POSTs of a delivery that its receiver took.
func (w *world) sent(id string) []send {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sends[id])
}

// tried are the times of all attempts at a connection's link.
func (w *world) tried(id string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.attempts[id])
}

// draw gives random numbers for what happens at this moment. They depend on the seed, the time and the occasion alone, not
// on which goroutine comes first, so that a history happens again in the same way.
func (w *world) draw(occasion string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(occasion))
	return rand.New(rand.NewPCG(w.seed^h.Sum64(), uint64(time.Now().UnixNano())))
}

func (w *world) chance(p float64, occasion string) bool { return w.draw(occasion).Float64() < p }

// pause takes a random time, in nanoseconds, so that two things hardly ever happen at once.
func (w *world) pause(upTo time.Duration, occasion string) {
	time.Sleep(time.Duration(w.draw(occasion).Int64N(int64(upTo)) + 1))
}

// poll is an event source mapping.
func (w *world) poll(ctx context.Context, url string) {
	for ctx.Err() == nil {
		messages, err := w.services.SQS.Receive(ctx, url, 10, forever)
		if err != nil || len(messages) == 0 {
			continue
		}
		inv := newInvocation(w)
		back := w.invoke(ctx, inv, messages)
		if inv.isDead() {
			continue // nobody acknowledges: everything comes back after its visibility timeout
		}
		keep := map[string]bool{}
		for _, id := range back {
			keep[id] = true
		}
		for _, m := range messages {
			if keep[m.ID] {
				continue
			}
			if w.chance(w.rates().lostDelete, "acknowledge") {
				inv.fault()
				continue
			}
			_ = w.services.SQS.Delete(url, m.ReceiptHandle) // gone already: the sender deletes what must not wait
		}
	}
}

// invoke does what the sender's handler does, on clients whose every call may fail.
func (w *world) invoke(parent context.Context, inv *invocation, messages []sqs.Message) (back []string) {
	ctx, cancel := context.WithTimeout(parent, functionLimit)
	defer cancel()
	kill := time.AfterFunc(functionLimit, inv.die)
	defer kill.Stop()
	var deliveries, tokens []delivery.Received
	for _, m := range messages {
		r := delivery.Received{MessageID: m.ID, Handle: m.ReceiptHandle, ReceiveCount: m.ReceiveCount}
		var err error
		if r.Message, r.Token, err = delivery.Decode(m.Body); err != nil {
			panic(err)
		}
		if r.Sequence, err = connection.ParseSequence(m.SequenceNumber); err != nil {
			panic(err)
		}
		if r.Token != nil {
			tokens = append(tokens, r)
		} else {
			deliveries = append(deliveries, r)
		}
	}
	s := w.sender(inv)
	if len(deliveries) > 0 {
		back = append(back, s.Deliver(ctx, deliveries)...)
	}
	if len(tokens) > 0 {
		back = append(back, s.DrainAll(ctx, tokens)...)
	}
	return back
}

func (w *world) sender(inv *invocation) *delivery.Sender {
	tb := table.New(w.services.DB(inv.wrap), inmemory.TableName, time.Now)
	retries := queue.New(w.services.Queues(inv.wrap), w.services.Retries)
	return &delivery.Sender{Log: tb, Line: tb, Gate: tb, Eraser: tb, Tokens: queue.Tokens{Queue: retries},
		Deliveries: queue.New(w.services.Queues(inv.wrap), w.services.Deliveries), Retries: retries,
		Poster: inv, Observer: silent{}, Now: time.Now, Schedule: schedule(delivery.DefaultSchedule), Timeout: attemptTimeout,
		Retention: 365 * 24 * time.Hour,
		Jitter:    func() float64 { return w.draw("jitter").Float64() },
		Fault: func(_ context.Context, doing string, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.faulty = append(w.faulty, doing+": "+err.Error())
		},
	}
}

func schedule(text string) delivery.Schedule {
	var s delivery.Schedule
	if err := s.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return s
}

type silent struct{}

func (silent) Attempted(context.Context, delivery.Delivery, delivery.Verdict)  {}
func (silent) Settled(context.Context, delivery.Delivery)                      {}
func (silent) Turned(context.Context, connection.Connection, connection.State) {}

// connect makes a connection that is switched on.
func (w *world) connect(id string) error {
	w.mu.Lock()
	w.receivers[id] = &receiver{behaviour: takes, poison: map[string]int{}}
	w.mu.Unlock()
	now := time.Now()
	return w.table.Create(context.Background(), connection.Connection{ID: id, AccountID: account, Link: webhook.Link("https://h.albato.ru/wh/38/" + id + "/"),
		Actions: []event.Action{event.OrderUpdate}, Enabled: true, Version: 1, CreatedAt: now, UpdatedAt: now, Generation: 1,
		Secret: "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", Health: connection.Health{State: connection.Healthy, Since: now}})
}

// post accepts one event of one order for one connection, as the intake does. poison, if not 0, is how it is refused.
func (w *world) post(id, order string, poison int) error {
	w.mu.Lock()
	n := len(w.accepted)
	w.mu.Unlock()
	now := time.Now()
	e := event.Event{ID: "e" + strconv.Itoa(n), AccountID: account, OccurredAt: now, Action: event.OrderUpdate, OrderID: order,
		Data: []byte(`{"n":` + strconv.Itoa(n) + `}`)}
	d := delivery.Delivery{ID: e.DeliveryID(id), EventID: e.ID, AccountID: account, ConnectionID: id, Action: e.Action, OrderID: order,
		CreatedAt: now, Body: e.Body(false)}
	w.mu.Lock()
	if poison != 0 {
		w.receivers[id].poison[d.ID] = poison
	}
	w.accepted = append(w.accepted, accepted{d.ID, id, order, now})
	w.mu.Unlock()
	return w.intake.SendMessages(context.Background(), []delivery.Message{{Delivery: d}})
}

// act does what a person does, again until it is saved and has taken effect.
func (w *world) act(id string, change func(*connection.Connection)) error {
	for range 100 {
		before, found, err := w.table.Connection(context.Background(), delivery.ConnectionKey{AccountID: account, ConnectionID: id})
		if err != nil || !found || before.Deleted {
			return err
		}
		after := before
		change(&after)
		if !after.Enabled {
			w.mu.Lock()
			w.everOff[id] = true
			w.mu.Unlock()
		}
		after.Version++
		err = w.table.Update(context.Background(), before, after)
		if err == delivery.ErrMoved {
			w.pause(time.Millisecond, "again")
			continue
		}
		if err != nil {
			return err
		}
		if before.Enabled && !after.Enabled {
			if err := w.noteLine(id); err != nil {
				return err
			}
		}
		w.pause(10*time.Millisecond, "between") // others go on between the two
		return w.controls.After(context.Background(), before, after)
	}
	return fmt.Errorf("the act on %s was not saved in 100 tries", id)
}

// noteLine remembers what waits now that the connection is off.
func (w *world) noteLine(id string) error {
	line, err := w.table.Waiting(context.Background(), id, 1000)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range line {
		w.waitedWhenOff[p.DeliveryID] = time.Now()
	}
	return err
}

// again asks for a delivery once more, as a retry or replay does.
func (w *world) again(id string) error {
	w.mu.Lock()
	var ids []string
	for _, a := range w.accepted {
		if a.connection == id {
			ids = append(ids, a.id)
		}
	}
	w.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	key := delivery.Key{ConnectionID: id, DeliveryID: ids[w.draw("again").IntN(len(ids))]}
	found, err := w.table.Load(context.Background(), []delivery.Key{key})
	if err != nil || len(found) == 0 {
		return err
	}
	w.mu.Lock()
	w.retried[key.DeliveryID] = true
	w.mu.Unlock()
	return w.intake.SendMessages(context.Background(), []delivery.Message{{Delivery: found[key], Retry: "r" + strconv.FormatInt(time.Now().UnixNano(), 36)}})
}

func (w *world) behave(id string, b behaviour) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receivers[id].behaviour = b
	w.receivers[id].flapped = w.receivers[id].flapped || b != takes
}

// connectionOf is the connection's id in a link of connect, whatever was added to make it another link.
func connectionOf(link webhook.Link) string {
	rest := strings.TrimPrefix(link.Reveal(), "https://h.albato.ru/wh/38/")
	id, _, _ := strings.Cut(rest, "/")
	return id
}
