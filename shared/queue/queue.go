// Package queue is the SQS side: deliveries and tokens out, acknowledgements and visibility in.
package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/oklog/ulid/v2"

	"github.com/nethouse-academy/albato/shared/delivery"
)

const (
	maxEntries = 10      // of a batch
	maxBytes   = 1 << 20 // of a batch and of a message
)

// Queue is one FIFO queue. It is safe for concurrent use.
type Queue struct {
	sqs *sqs.Client
	url string
}

// New gives the queue at this URL.
func New(client *sqs.Client, url string) *Queue { return &Queue{client, url} }

var _ delivery.Receipts = (*Queue)(nil)

// SendMessages queues deliveries in their order, each in its connection's group, in as few calls as they fit in. An entry
// that fails is sent again, twice; an error means that some may be queued and some not, and that the same call may simply
// be made again: the deduplication id keeps what was queued already from being queued twice.
func (q *Queue) SendMessages(ctx context.Context, messages []delivery.Message) error {
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i, m := range messages {
		text, err := m.Encode()
		if err != nil {
			return err
		}
		id, group, once := strconv.Itoa(i), m.Delivery.ConnectionID, m.DeduplicationID()
		entries[i] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &text, MessageGroupId: &group, MessageDeduplicationId: &once}
	}
	for len(entries) > 0 {
		n := fitting(entries)
		if err := q.sendBatch(ctx, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// fitting is how many entries go into one call: one at least.
func fitting(entries []types.SendMessageBatchRequestEntry) int {
	size := 0
	for n, e := range entries {
		if size += len(*e.MessageBody); n > 0 && (n == maxEntries || size > maxBytes) {
			return n
		}
	}
	return len(entries)
}

// sendBatch sends one batch. Two messages of one group are never sent again one without the other, or they would change
// places: of a group, what stands behind a failed entry is sent again too, and its deduplication id makes that harmless.
func (q *Queue) sendBatch(ctx context.Context, entries []types.SendMessageBatchRequestEntry) error {
	for try := 1; ; try++ {
		out, err := q.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		if err != nil {
			return err
		}
		if len(out.Failed) == 0 {
			return nil
		}
		if f := out.Failed[0]; f.SenderFault || try == 3 {
			return fmt.Errorf("%d of %d messages were not queued: %s", len(out.Failed), len(entries), *f.Code)
		}
		failed := make(map[string]bool, len(out.Failed))
		for _, f := range out.Failed {
			failed[*f.Id] = true
		}
		groups := map[string]bool{}
		var again []types.SendMessageBatchRequestEntry
		for _, e := range entries {
			if failed[*e.Id] || groups[*e.MessageGroupId] {
				groups[*e.MessageGroupId] = true
				again = append(again, e)
			}
		}
		entries = again
	}
}

// Delete: see delivery.Receipts.
func (q *Queue) Delete(ctx context.Context, handles []string) error {
	return inTens(handles, func(page []string) error {
		entries := make([]types.DeleteMessageBatchRequestEntry, len(page))
		for i := range page {
			id := strconv.Itoa(i)
			entries[i] = types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: &page[i]}
		}
		out, err := q.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		if err == nil && len(out.Failed) > 0 {
			err = fmt.Errorf("%d of %d messages were not deleted: %s", len(out.Failed), len(page), *out.Failed[0].Code)
		}
		return err
	})
}

// Delay: see delivery.Receipts.
func (q *Queue) Delay(ctx context.Context, handles []string, d time.Duration) error {
	seconds := int32((d + time.Second - 1) / time.Second) //nolint:gosec // at most twelve hours
	return inTens(handles, func(page []string) error {
		entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(page))
		for i := range page {
			id := strconv.Itoa(i)
			entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{Id: &id, ReceiptHandle: &page[i], VisibilityTimeout: seconds}
		}
		out, err := q.sqs.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: entries})
		if err == nil && len(out.Failed) > 0 {
			err = fmt.Errorf("the visibility of %d of %d messages was not changed: %s", len(out.Failed), len(page), *out.Failed[0].Code)
		}
		return err
	})
}

func inTens(handles []string, f func([]string) error) error {
	var failed []error
	for len(handles) > 0 {
		page := handles[:min(len(handles), maxEntries)]
		handles = handles[len(page):]
		failed = append(failed, f(page))
	}
	return errors.Join(failed...)
}

// Put queues any text: what cannot be read goes to the dead letters as it came.
func (q *Queue) Put(ctx context.Context, text, group, deduplication string) error {
	_, err := q.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &text, MessageGroupId: &group,
		MessageDeduplicationId: &deduplication})
	return err
}

// Tokens is the queue of tokens.
type Tokens struct{ *Queue }

var _ delivery.Tokens = Tokens{}

// Send: see delivery.Tokens. Each token is a message of its own, even within the minutes of deduplication.
func (t Tokens) Send(ctx context.Context, token delivery.Token) error {
	return t.Put(ctx, token.Encode(), token.ConnectionID, ulid.Make().String())
}

// Wake: see delivery.Tokens.
func (t Tokens) Wake(ctx context.Context, handle string) error {
	_, err := t.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &t.url, ReceiptHandle: &handle, VisibilityTimeout: 0})
	var (
		awake   *types.MessageNotInflight
		invalid *types.ReceiptHandleIsInvalid
	)
	if errors.As(err, &awake) || errors.As(err, &invalid) || isInvalidParameter(err) {
		return nil
	}
	return err
}
