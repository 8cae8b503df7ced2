package sqs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/sqs"
)

// BenchmarkBatches measures a message's life in batches of ten, sent, received
// and deleted, over HTTP by 16 clients, while that many others wait: all in one
// group, or each in its own. calls/s must not depend on what waits.
func BenchmarkBatches(b *testing.B) {
	for _, waiting := range []int{1_000, 200_000} {
		for _, groups := range []string{"one", "many"} {
			b.Run(fmt.Sprintf("waiting=%d/groups=%s", waiting, groups), func(b *testing.B) {
				s := sqs.New(sqs.Options{})
				url := filled(b, s, waiting, groups == "many")
				server := httptest.NewServer(s)
				defer server.Close()
				client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
				defer client.CloseIdleConnections()
				var worker atomic.Int64
				b.SetParallelism(8) // times two cores
				b.ResetTimer()
				b.RunParallel(func(p *testing.PB) {
					name, n := worker.Add(1), 0
					for p.Next() {
						n++
						cycle(b, client, server.URL, url, fmt.Sprintf("%d-%d", name, n))
					}
				})
				b.ReportMetric(3*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}

// filled answers the URL of a queue in which that many messages wait.
func filled(b *testing.B, s *sqs.Server, waiting int, manyGroups bool) string {
	if _, err := s.CreateQueue("q.fifo", fifo("DeduplicationScope", "messageGroup")); err != nil {
		b.Fatal(err)
	}
	url := s.QueueURL("http://sqs.test", "q.fifo")
	for i := 0; i < waiting; i += 10 {
		group := "waiting"
		if manyGroups {
			group = fmt.Sprint("waiting", i)
		}
		if _, out := raw(s, "SendMessageBatch", batch(url, group, fmt.Sprint("w", i))); out["Failed"] != nil {
			b.Fatal(out)
		}
	}
	return url
}

func batch(url, group, id string) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, `{"QueueUrl":"%s","Entries":[`, url)
	for i := range 10 {
		if i > 0 {
			sb.WriteByte(',')
		}
		fmt.Fprintf(&sb, `{"Id":"%d","MessageGroupId":"%s","MessageDeduplicationId":"%s-%d","MessageBody":"{\"order\":{\"id\":%d},\"pad\":\"%s\"}"}`,
			i, group, id, i, i, strings.Repeat("x", 500))
	}
	return sb.String() + "]}"
}

// cycle sends ten messages, receives what the queue gives and deletes it.
func cycle(b *testing.B, client *http.Client, base, url, id string) {
	post := func(operation, body string, into any) {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base, strings.NewReader(body))
		if err != nil {
			b.Error(err)
			return
		}
		r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
		resp, err := client.Do(r)
		if err != nil {
			b.Error(err)
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(text, []byte(`"Failed"`)) {
			b.Errorf("%s: %d %s %v", operation, resp.StatusCode, text, err)
		}
		if into != nil && json.Unmarshal(text, into) != nil {
			b.Errorf("%s: %s", operation, text)
		}
	}
	post("SendMessageBatch", batch(url, "g"+id, id), nil)
	var got struct {
		Messages []struct{ ReceiptHandle string }
	}
	post("ReceiveMessage", `{"QueueUrl":"`+url+`","MaxNumberOfMessages":10}`, &got)
	if len(got.Messages) == 0 {
		return
	}
	var entries []string
	for i, m := range got.Messages {
		entries = append(entries, fmt.Sprintf(`{"Id":"%d","ReceiptHandle":"%s"}`, i, m.ReceiptHandle))
	}
	post("DeleteMessageBatch", `{"QueueUrl":"`+url+`","Entries":[`+strings.Join(entries, ",")+`]}`, nil)
}

// BenchmarkHandler is the cost of the service alone: no sockets, one goroutine.
func BenchmarkHandler(b *testing.B) {
	for _, waiting := range []int{1_000, 200_000} {
		b.Run(fmt.Sprintf("send10+receive10+delete10/waiting=%d", waiting), func(b *testing.B) {
			s := sqs.New(sqs.Options{})
			url := filled(b, s, waiting, true)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(batch(url, fmt.Sprint("g", n), fmt.Sprint(n))))
				r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessageBatch")
				s.ServeHTTP(w, r)
				ms, err := s.Receive(context.Background(), url, 10, 0)
				if err != nil || len(ms) != 10 {
					b.Fatal(len(ms), err)
				}
				handles := make([]string, len(ms))
				for i := range ms {
					handles[i] = ms[i].ReceiptHandle
				}
				if err := s.Delete(url, handles...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
