package sqs

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"time"
)

// instant is a moment, counted from the start of the server. The server's own
// reckoning is therefore unharmed by a wall clock that is set.
type instant = time.Duration

type state uint8

const (
	visible state = iota
	delayed
	inFlight
)

// message is one message in one queue.
type message struct {
	number   uint64 // unique in the server and growing
	id       string
	body     string
	bodyMD5  [md5.Size]byte
	attrs    []Attribute // sorted by name
	attrsMD5 [md5.Size]byte
	group    string
	dedup    string
	trace    string
	source   string // ARN of the queue whose dead letter it is
	sequence string // FIFO only

	sent          instant
	firstReceived instant
	lastReceived  instant
	due           instant // when it becomes visible: only while delayed or in flight
	receives      int     // over all queues, as ApproximateReceiveCount counts
	receivesHere  int     // in this queue, as maxReceiveCount counts
	receipt       uint32  // the newest receipt handle's number
	state         state
	heapIndex     int
	lane          *lane
	place         node[*message] // in its lane
	age           node[*message] // in its queue, by arrival
}

// sequenceNumber renders the 20 digits of a FIFO message. AWS promises a growing
// 128 bit number, and its real ones exceed 64 bits: so do these, that a reader
// who parses them into an integer fails here and not in production.
func sequenceNumber(n uint64) string { return fmt.Sprintf("188%017d", n) }

func newID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], rand.Uint64())
	binary.BigEndian.PutUint64(b[8:], rand.Uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// receipt is what a receipt handle says: which queue, which message, which of
// its receives.
type receipt struct {
	queue  uint32
	number uint64
	nth    uint32
}

const receiptSize = 4 + 8 + 4 + 4

func (r receipt) String() string {
	var b [receiptSize]byte
	binary.BigEndian.PutUint32(b[0:], r.queue)
	binary.BigEndian.PutUint64(b[4:], r.number)
	binary.BigEndian.PutUint32(b[12:], r.nth)
	binary.BigEndian.PutUint32(b[16:], crc32.ChecksumIEEE(b[:16]))
	return base64.StdEncoding.EncodeToString(b[:])
}

// parseReceipt reads a handle; the checksum tells a handle from anything else.
func parseReceipt(s string) (receipt, bool) {
	var b [receiptSize + 2]byte
	if len(s) != base64.StdEncoding.EncodedLen(receiptSize) {
		return receipt{}, false
	}
	n, err := base64.StdEncoding.Decode(b[:], []byte(s))
	if err != nil || n != receiptSize || crc32.ChecksumIEEE(b[:16]) != binary.BigEndian.Uint32(b[16:]) {
		return receipt{}, false
	}
	return receipt{binary.BigEndian.Uint32(b[0:]), binary.BigEndian.Uint64(b[4:]), binary.BigEndian.Uint32(b[12:])}, true
}

// export copies what a consumer may see, for the receive that just happened.
func (m *message) export(s *Server, queue uint32) Message {
	return Message{
		ID: m.id, Body: m.body, BodyMD5: hex.EncodeToString(m.bodyMD5[:]),
		ReceiptHandle: receipt{queue, m.number, m.receipt}.String(),
		GroupID:       m.group, DeduplicationID: m.dedup, SequenceNumber: m.sequence,
		TraceHeader: m.trace, SenderID: s.senderID, DeadLetterSourceARN: m.source,
		SentAt: s.wall(m.sent), FirstReceivedAt: s.wall(m.firstReceived), ReceiveCount: m.receives,
		Attributes: m.attrs, attributesMD5: m.attrsMD5,
	}
}

func milliseconds(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
