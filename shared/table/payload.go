package table

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"sync"

	deflate "github.com/klauspost/compress/flate"
)

// Bodies are stored compressed, against a dictionary of the names that every order has, so that a usual order's entry
// stays within one write unit (1 KB). The first byte of a payload names the dictionary: a new one gets a new number, and
// the old ones stay as long as entries last.
const dictionaryVersion = 1

// compression is the quickest level that makes good use of the dictionary. The format is DEFLATE (RFC 1951), which the
// standard library reads; this writer makes it as small in half the time, and it was a third of a delivery's.
const compression = 5

//go:embed dictionary-1.txt
var dictionary []byte

// maxPayload is more than any body: intake takes 256 KiB.
const maxPayload = 1 << 20

var compressors = sync.Pool{New: func() any {
	w, err := deflate.NewWriterDict(io.Discard, compression, dictionary)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

func compress(body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body)/3 + 64)
	out.WriteByte(dictionaryVersion)
	w := compressors.Get().(*deflate.Writer)
	defer compressors.Put(w)
	w.Reset(&out)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func decompress(payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return nil, nil
	}
	if payload[0] != dictionaryVersion {
		return nil, fmt.Errorf("a payload of dictionary %d, which this version does not have", payload[0])
	}
	r := flate.NewReaderDict(bytes.NewReader(payload[1:]), dictionary)
	body, err := io.ReadAll(io.LimitReader(r, maxPayload))
	if err != nil {
		return nil, fmt.Errorf("decompressing a payload: %w", err)
	}
	return body, nil
}
