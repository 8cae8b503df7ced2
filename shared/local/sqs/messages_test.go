package sqs_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/nethouse-academy/albato/shared/local/sqs"
)

func TestSending(t *testing.T) {
	run(t, []behaviour{
		{"Q06 attributes and digests arrive as sent", testMessageAttributes},
		{"Q07 delay of a message and of a queue", func(t *testing.T, c *client) {
			u := c.create("q", attrs{"DelaySeconds": "2"})
			c.send(u, "queue")
			c.send(u, "own", delay(5))
			c.wantCounts(u, sqs.Counts{Delayed: 2})
			c.wantBodies(u)
			took(t, 2*time.Second, func() { equal(t, "first", *c.receive(u, 10, 20)[0].Body, "queue") })
			took(t, 3*time.Second, func() { equal(t, "second", *c.receive(u, 10, 20)[0].Body, "own") })
		}},
		{"Q08 a batch of ten", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			var es []types.SendMessageBatchRequestEntry
			for i := range 10 {
				es = append(es, entry(fmt.Sprint("id", i), fmt.Sprint(i)))
				es[i].MessageAttributes = map[string]types.MessageAttributeValue{"i": {DataType: ptr("Number"), StringValue: ptr(fmt.Sprint(i))}}
			}
			out, err := c.sendBatch(u, es...)
			c.must(err)
			equal(t, "failed", len(out.Failed), 0)
			byID := map[string]string{}
			for _, s := range out.Successful {
				byID[*s.MessageId] = *s.Id
			}
			for _, m := range c.receive(u, 10, 0) {
				equal(t, "id", byID[*m.MessageId], "id"+*m.Body)
				equal(t, "attribute", *m.MessageAttributes["i"].StringValue, *m.Body)
				delete(byID, *m.MessageId)
			}
			equal(t, "not received", len(byID), 0)
		}},
		{"Q09 batches that are wrong as a whole", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			for code, ids := range map[string][]string{
				"TooManyEntriesInBatchRequest": strings.Split("1,2,3,4,5,6,7,8,9,10,11", ","),
				"BatchEntryIdsNotDistinct":     {"a", "b", "a"},
				"InvalidBatchEntryId":          {"bad id!"},
				"EmptyBatchRequest":            {},
			} {
				es := []types.SendMessageBatchRequestEntry{}
				for _, id := range ids {
					es = append(es, entry(id, "x"))
				}
				_, err := c.sendBatch(u, es...)
				wantCode(t, err, "AWS.SimpleQueueService."+code, "")
			}
			c.wantCounts(u, sqs.Counts{})
		}},
		{"Q10 a wrong entry fails alone", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			late, nul := entry("late", "x"), entry("nul", "a\x00")
			late.DelaySeconds = 901
			out, err := c.sendBatch(u, late, entry("ok", "good"), nul)
			c.must(err)
			equal(t, "successful", *out.Successful[0].Id, "ok")
			equal(t, "first failed", []any{*out.Failed[0].Id, *out.Failed[0].Code, out.Failed[0].SenderFault}, []any{"late", "InvalidParameterValue", true})
			equal(t, "second failed", []any{*out.Failed[1].Id, *out.Failed[1].Code}, []any{"nul", "InvalidMessageContents"})
			c.wantBodies(u, "good")
		}},
		{"Q11 Q12 sizes", testSizes},
		{"Q13 groups on a standard queue block nothing", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			c.send(u, "a1", group("A"))
			c.send(u, "a2", group("A"))
			for _, body := range []string{"a1", "a2"} {
				m := c.one(u)
				equal(t, "body and group", []string{*m.Body, m.Attributes["MessageGroupId"]}, []string{body, "A"})
			}
			_, err := c.trySend(u, "x", dedup("d"))
			wantCode(t, err, "InvalidParameterValue", "not valid for this queue type")
		}},
		{"Q33 bodies that are refused", func(t *testing.T, c *client) {
			u := c.create("q", nil)
			for _, body := range []string{"a\x00b", "\x1b", "\ufffe", "ok\uffff"} {
				_, err := c.trySend(u, body)
				wantCode(t, err, "InvalidMessageContents", "")
			}
			_, err := c.trySend(u, "")
			wantCode(t, err, "MissingParameter", "MessageBody")
			for _, body := range []string{"\t\r\n ~", "\ud7ff\ue000\ufffd", "\U00010000\U0010ffff", `"\/` + "\u2028<>&"} {
				c.send(u, body)
				equal(t, "body", *c.one(u).Body, body)
			}
		}},
		{"Q42 the trace header is carried", func(t *testing.T, c *client) {
			u, trace := c.create("q", nil), "Root=1-5759e988-bd862e3fe1be46a994272793"
			c.send(u, "x", func(in *sending) {
				in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: ptr("String"), StringValue: &trace}}
			})
			equal(t, "AWSTraceHeader", c.one(u).Attributes["AWSTraceHeader"], trace)
		}},
	})
}

func testMessageAttributes(t *testing.T, c *client) {
	u := c.create("q", nil)
	in := map[string]types.MessageAttributeValue{
		"s": {DataType: ptr("String"), StringValue: ptr("vé")}, "n": {DataType: ptr("Number"), StringValue: ptr("-4.2e1")},
		"b": {DataType: ptr("Binary"), BinaryValue: []byte{0, 1, 255}}, "p.c": {DataType: ptr("String.custom"), StringValue: ptr("x")}}
	sent := c.send(u, "héllo <&>", func(i *sending) { i.MessageAttributes = in })
	sum := md5.Sum([]byte("héllo <&>"))
	equal(t, "body digest", *sent.MD5OfMessageBody, hex.EncodeToString(sum[:]))
	// The digest of AWS's own algorithm over these attributes, computed apart.
	equal(t, "attributes digest", *sent.MD5OfMessageAttributes, "5f3e6bcfcc0b68a235c138ef5ff86ca7")
	m := c.one(u)
	equal(t, "attributes", m.MessageAttributes, in)
	equal(t, "received digest", *m.MD5OfMessageAttributes, *sent.MD5OfMessageAttributes)

	c.must(c.hide(u, m, 0))
	out, err := c.sdk.ReceiveMessage(c.ctx, &awssqs.ReceiveMessageInput{QueueUrl: &u, MessageAttributeNames: []string{"s", "p.*"}})
	c.must(err)
	equal(t, "those asked for", len(out.Messages[0].MessageAttributes), 2)

	for says, bad := range map[string]map[string]types.MessageAttributeValue{
		"name":      {"a..b": {DataType: ptr("String"), StringValue: ptr("x")}},
		"AWS.":      {"AWS.x": {DataType: ptr("String"), StringValue: ptr("x")}},
		"type":      {"a": {DataType: ptr("Boolean"), StringValue: ptr("x")}},
		"number":    {"a": {DataType: ptr("Number"), StringValue: ptr("x")}},
		"non-empty": {"a": {DataType: ptr("String"), StringValue: ptr("")}},
	} {
		_, err := c.trySend(u, "x", func(i *sending) { i.MessageAttributes = bad })
		wantCode(t, err, "InvalidParameterValue", says)
	}
}

func testSizes(t *testing.T, c *client) {
	u := c.create("q", nil)
	const mib = 1 << 20
	c.send(u, strings.Repeat("x", mib))
	_, err := c.trySend(u, strings.Repeat("x", mib+1))
	wantCode(t, err, "InvalidParameterValue", "Message must be shorter than 1048576 bytes")
	_, err = c.trySend(u, strings.Repeat("x", mib-9), func(i *sending) {
		i.MessageAttributes = map[string]types.MessageAttributeValue{"abc": {DataType: ptr("String"), StringValue: ptr("x")}}
	})
	wantCode(t, err, "InvalidParameterValue", "Message must be shorter")
	var fits, over []types.SendMessageBatchRequestEntry
	for i := range 10 {
		fits = append(fits, entry(strconv.Itoa(i), strings.Repeat("y", mib/10)))
		over = append(over, entry(strconv.Itoa(i), strings.Repeat("y", mib/10+1)))
	}
	out, err := c.sendBatch(u, fits...)
	c.must(err)
	equal(t, "sent", len(out.Successful), 10)
	_, err = c.sendBatch(u, over...)
	wantCode(t, err, "AWS.SimpleQueueService.BatchRequestTooLong", "1048576")
	c.wantCounts(u, sqs.Counts{Visible: 11})
	small := c.create("small", attrs{"MaximumMessageSize": "1024"})
	_, err = c.trySend(small, strings.Repeat("x", 1025))
	wantCode(t, err, "InvalidParameterValue", "1024")
}

func TestManyConsumers(t *testing.T) {
	run(t, []behaviour{{"Q41 each of 300 messages is delivered once to 8 consumers", func(t *testing.T, c *client) {
		u := c.create("q", attrs{"VisibilityTimeout": "60"})
		var mu sync.Mutex
		var wg sync.WaitGroup
		seen := map[string]int{}
		for range 8 {
			wg.Go(func() {
				for {
					ms, err := c.server.Receive(context.Background(), u, 10, 2*time.Second)
					if err != nil || len(ms) == 0 {
						return
					}
					mu.Lock()
					for _, m := range ms {
						seen[m.Body]++
						if err := c.server.Delete(u, m.ReceiptHandle); err != nil {
							t.Error(err)
						}
					}
					mu.Unlock()
				}
			})
		}
		for i := range 300 {
			c.send(u, strconv.Itoa(i))
		}
		wg.Wait()
		equal(t, "seen", len(seen), 300)
		for body, n := range seen {
			equal(t, body, n, 1)
		}
	}}})
}
