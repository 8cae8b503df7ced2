package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// batch is a number of events that are measured together: when each was posted and when it first arrived.
type batch struct {
	name    string
	tenants []tenant // taken in turn
	began   time.Time

	bodies          [][]byte       // of the events, made beforehand
	posted, arrived []atomic.Int64 // nanoseconds since began; 0: not yet
	unique, extra   atomic.Int64   // arrivals: of events, and once more
	last            atomic.Int64   // when the last one arrived
	all             chan struct{}  // closed when every event has arrived
}

// tenant is an account with one connection.
type tenant struct{ account, connection string }

func newBatch(name string, events int, tenants ...tenant) *batch {
	b := &batch{name: name, tenants: tenants, began: time.Now(), bodies: make([][]byte, events), posted: make([]atomic.Int64, events),
		arrived: make([]atomic.Int64, events), all: make(chan struct{})}
	for n := range b.bodies {
		b.bodies[n] = b.event(n)
	}
	b.began = time.Now()
	return b
}

// id of an event names its batch, so that the receiver finds it again.
func (b *batch) id(n int) string { return "bench-" + b.name + "-" + strconv.Itoa(n) }

// event is an order as the Academy posts it, about 1.3 KB, with people that do not exist. Every event is of an order of
// its own.
func (b *batch) event(n int) []byte {
	t := b.tenants[n%len(b.tenants)]
	var out bytes.Buffer
	fmt.Fprintf(&out, `{"id":"%s","account_id":"%s","occurred_at":"%s","data":{"action":"order_update","order":{"id":%d,"event_id":512340,`,
		b.id(n), t.account, b.began.UTC().Add(time.Duration(n)*time.Millisecond).Format(time.RFC3339Nano), 9840000+n)
	fmt.Fprintf(&out, `"buyer_email":"anna.example%d@example.com","buyer_name":"Анна Примерная","discount":{"amount":0,"currency":"RUB"},`+
		`"total":{"amount":%d,"currency":"RUB"},"pay_until":1795507500,"is_bill":false,"is_canceled":false,"is_completed":false,`+
		`"created_at":1795421100,"updated_at":%d,"deleted_at":null},"order_tickets":[`, n, 3900+n%7*100, 1795421100+n)
	for k := range 2 {
		if k > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, `{"id":%d,"order_id":%d,"ticket_id":%d,"price":{"amount":1950,"currency":"RUB"},"discount":{"amount":0,"currency":"RUB"},`+
			`"sum":{"amount":1950,"currency":"RUB"},"fields":{"1001":"Онлайн","1002":"%d"},"options":{"77":true},"person":{"full_name":"Анна Примерная",`+
			`"email":"anna.example%d@example.com","phone":"+70000%06d","city":"Тверь"},"promocode":null,"is_canceled":false,"created_at":1795421100}`,
			20450000+2*n+k, 9840000+n, 300+k, n*7919%100000, n, n%1000000)
	}
	out.WriteString(`]}}`)
	return out.Bytes()
}

// now is the time since the batch began; never 0.
func (b *batch) now() int64 { return max(1, int64(time.Since(b.began))) }

// arrive notes the arrival of event n.
func (b *batch) arrive(n int) {
	at := b.now()
	if !b.arrived[n].CompareAndSwap(0, at) {
		b.extra.Add(1)
		return
	}
	b.last.Store(at)
	if b.unique.Add(1) == int64(len(b.arrived)) {
		close(b.all)
	}
}

// eventOf reads batch and number from an id.
func eventOf(id string) (batch string, n int, ok bool) {
	rest, ok := strings.CutPrefix(id, "bench-")
	if !ok {
		return "", 0, false
	}
	i := strings.LastIndexByte(rest, '-')
	if i < 0 {
		return "", 0, false
	}
	n, err := strconv.Atoi(rest[i+1:])
	return rest[:i], n, err == nil && n >= 0
}

// latencies are the times from the post to the first arrival, in milliseconds, of those events that pick chooses.
func (b *batch) latencies(pick func(n int) bool) []float64 {
	var all []float64
	for n := range b.arrived {
		if at := b.arrived[n].Load(); at > 0 && (pick == nil || pick(n)) {
			all = append(all, float64(at-b.posted[n].Load())/1e6)
		}
	}
	return all
}
