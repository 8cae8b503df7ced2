package lambda

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"sync"
)

// maxLine is where a log line without an end is cut: the size of one CloudWatch Logs event.
const maxLine = 256 << 10

// logWriter writes the lines of all functions to one place, whole lines only.
type logWriter struct {
	mu sync.Mutex
	to io.Writer
}

// line writes one line of the function name.
func (l *logWriter) line(name string, text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.to, "%-11s | %s\n", name, text)
}

// copy writes the lines of from until it ends.
func (l *logWriter) copy(name string, from io.Reader) {
	r := bufio.NewReaderSize(from, maxLine)
	for {
		text, err := r.ReadSlice('\n')
		if text = bytes.TrimRight(text, "\r\n"); len(text) > 0 {
			l.line(name, text)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}
