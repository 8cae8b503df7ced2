package main

import (
	"context"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"github.com/nethouse-academy/albato/shared/connection"
	"github.com/nethouse-academy/albato/shared/delivery"
)

// deadLetters takes what cannot be read, as it came.
type deadLetters interface {
	Put(ctx context.Context, text, group, deduplication string) error
}

type handler struct {
	sender      *delivery.Sender
	deadLetters deadLetters
	observer    *observer
}

// handle takes a batch of either queue. What it names in the answer comes back; everything else is deleted by Lambda.
// It never returns an error: that would bring the whole batch back.
func (h *handler) handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	defer h.observer.flush()
	var (
		back       []string
		deliveries []delivery.Received
		tokens     []delivery.Received
	)
	for _, record := range batch.Records {
		r, err := received(record)
		switch {
		case err != nil:
			if !h.bury(ctx, record, err) {
				back = append(back, record.MessageId)
			}
		case r.Token != nil:
			tokens = append(tokens, r)
		default:
			h.observer.gauges.received(record, h.observer.now())
			deliveries = append(deliveries, r)
		}
	}
	if len(deliveries) > 0 {
		back = append(back, h.sender.Deliver(ctx, deliveries)...)
	}
	if len(tokens) > 0 {
		back = append(back, h.sender.DrainAll(ctx, tokens)...)
	}
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}} // a list, not null, also when it is empty
	for _, id := range back {
		answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return answer, nil
}

// received reads a record of either queue.
func received(record events.SQSMessage) (delivery.Received, error) {
	r := delivery.Received{MessageID: record.MessageId, Handle: record.ReceiptHandle}
	var err error
	if r.Message, r.Token, err = delivery.Decode(record.Body); err != nil {
		return r, err
	}
	if r.Sequence, err = connection.ParseSequence(record.Attributes["SequenceNumber"]); err != nil {
		return r, err
	}
	r.ReceiveCount, _ = strconv.Atoi(record.Attributes["ApproximateReceiveCount"]) // absent: not worth a failure
	return r, nil
}

// bury puts a message that is not ours, or is broken, with the dead letters, so that it does not block its group until
// the queue gives it up. It tells whether it could.
func (h *handler) bury(ctx context.Context, record events.SQSMessage, cause error) bool {
	h.observer.fault(ctx, "reading a message", cause)
	group := record.Attributes["MessageGroupId"]
	if group == "" {
		group = "unreadable"
	}
	if err := h.deadLetters.Put(ctx, record.Body, group, record.MessageId); err != nil {
		h.observer.fault(ctx, "burying a message", err)
		return false
	}
	return true
}
