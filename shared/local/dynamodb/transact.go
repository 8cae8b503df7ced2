package dynamodb

import (
	"errors"
	"strconv"
	"strings"
)

// Limits of the transactions.
const (
	maxTransaction     = 100
	maxTransactionSize = 4 << 20
)

func (s *Server) transactWriteItems(c *call) error {
	var report reporting
	var requests []*writeRequest
	var token string
	err := c.read("TransactWriteItems", func(name string) (bool, error) {
		switch name {
		case "ClientRequestToken":
			return true, c.dec.stringInto(&token)
		case "TransactItems":
			return true, c.dec.array(func() error {
				w, err := readTransactWrite(&c.dec)
				requests = append(requests, w)
				return err
			})
		}
		return report.member(&c.dec, name)
	})
	if err != nil {
		return err
	}
	if err := report.check(); err != nil {
		return err
	}
	if len(token) > 36 {
		return constraint(token, "clientRequestToken", "Member must have length less than or equal to 36")
	}
	writes, err := s.prepareTransaction(requests)
	if err != nil {
		return err
	}
	detail := capacityDetail{level: report.capacity, splitKey: "WriteCapacityUnits"}
	used, repeated, err := s.tokens.once(token, digest(requests), s.now(), func() (usages, error) { return transact(writes) })
	if repeated {
		used = repeatedUsage(writes)
		c.reads, detail.splitKey = used.total(), "ReadCapacityUnits"
	} else {
		c.writes = used.total()
	}
	if err != nil {
		return err
	}
	c.out = detail.appendAll(c.out, used)
	c.finish()
	return nil
}

func readTransactWrite(d *decoder) (*writeRequest, error) {
	w := &writeRequest{}
	given := 0
	err := d.object(func(kind string) error {
		given++
		switch kind {
		case "Put":
			w.action = actionPut
		case "Update":
			w.action = actionUpdate
		case "Delete":
			w.action = actionDelete
		case "ConditionCheck":
			w.action = actionCheck
		default:
			return notImplemented("the parameter TransactItems." + kind)
		}
		return d.object(func(name string) error {
			known, err := w.member(d, name)
			if !known && err == nil {
				err = notImplemented("the parameter " + kind + "." + name)
			}
			return err
		})
	})
	switch {
	case err != nil:
	case given != 1:
		err = validation("TransactItems can only contain one of Check, Put, Update or Delete")
	case w.action == actionPut && w.item == nil || w.action != actionPut && w.key == nil:
		err = constraint("null", "transactItems.member", "Member must not be null: Item or Key")
	case w.action == actionCheck && w.condition == nil:
		err = constraint("null", "transactItems.member.conditionCheck.conditionExpression", "Member must not be null")
	case w.action == actionUpdate && w.update == nil:
		err = constraint("null", "transactItems.member.update.updateExpression", "Member must not be null")
	}
	return w, err
}

func (s *Server) prepareTransaction(requests []*writeRequest) ([]*write, error) {
	if err := checkTransactionLength(len(requests)); err != nil {
		return nil, err
	}
	writes := make([]*write, len(requests))
	seen := make(map[place]bool, len(requests))
	size := 0
	for i, r := range requests {
		w, err := s.prepare(r)
		if err != nil {
			return nil, err
		}
		at := place{w.table, w.position}
		if seen[at] {
			return nil, validation("Transaction request cannot include multiple operations on one item")
		}
		seen[at] = true
		writes[i] = w
		if size += w.size + w.key.size() + r.placeholders.values.size(); size > maxTransactionSize {
			return nil, validation("Transaction size exceeded: the aggregate size of the items in the transaction cannot exceed 4 MB")
		}
	}
	return writes, nil
}

func checkTransactionLength(n int) error {
	switch {
	case n == 0:
		return constraint("[]", "transactItems", "Member must have length greater than or equal to 1")
	case n > maxTransaction:
		return constraint(strconv.Itoa(n)+" items", "transactItems", "Member must have length less than or equal to 100")
	}
	return nil
}

// transact carries out all of the writes or, with the reasons, none.
func transact(writes []*write) (usages, error) {
	tables := make([]*table, len(writes))
	for i, w := range writes {
		tables[i] = w.table
	}
	for _, t := range sortTables(tables) {
		t.mu.Lock()
		defer t.mu.Unlock()
	}
	outcomes := make([]outcome, len(writes))
	reasons := make([]reason, len(writes))
	cancelled := false
	for i, w := range writes {
		var err error
		outcomes[i], err = w.plan()
		if reasons[i] = reasonOf(err); err != nil {
			cancelled = true
		}
		if f := (*fault)(nil); errors.As(err, &f) && f.code == "NotImplementedException" {
			return nil, err
		}
	}
	var used usages
	if cancelled {
		for i, w := range writes {
			used.add(w.idle(outcomes[i]).double())
		}
		return used, cancellation(reasons)
	}
	for i, w := range writes {
		used.add(w.apply(outcomes[i]).double())
	}
	return used, nil
}

func reasonOf(err error) reason {
	var f *fault
	if !errors.As(err, &f) {
		return reason{code: "None"}
	}
	code := strings.TrimSuffix(f.shortCode(), "Exception")
	switch code {
	case "ConditionalCheckFailed":
	case "Validation":
		code = "ValidationError"
	}
	return reason{code: code, message: f.message, item: f.item}
}

func cancellation(reasons []reason) *fault {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.code
	}
	return &fault{code: cancelledCode, reasons: reasons,
		message: "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]"}
}

// repeatedUsage is what a transaction costs that was carried out before: the
// reading of its items.
func repeatedUsage(writes []*write) usages {
	var used usages
	for _, w := range writes {
		w.table.mu.RLock()
		e, _ := w.table.find(w.position)
		w.table.mu.RUnlock()
		used.add(usage{table: w.table, units: readHalves(e.size, true)}.double())
	}
	return used
}
