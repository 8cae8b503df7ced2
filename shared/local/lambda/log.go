package lambda

import (
	"bufio"
	"bytes"
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

func (l *logWriter) write(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.to.Write(lines) // a log that cannot be written stops nothing
}

// line writes one line of the function name.
func (l *logWriter) line(name string, text []byte) { l.write(appendLine(nil, name, text)) }

// appendLine puts the function's name, 11 characters wide, before a line.
func appendLine(b []byte, name string, text []byte) []byte {
	const width = "           "
	b = append(b, name...)
	b = append(b, width[min(len(name), len(width)):]...)
	b = append(b, " | "...)
	b = append(b, text...)
	return append(b, '\n')
}

// copy writes the lines of from until it ends; those that are there together go out together.
func (l *logWriter) copy(name string, from io.Reader) {
	r := bufio.NewReaderSize(from, maxLine)
	var out []byte
	for {
		text, err := r.ReadSlice('\n')
		if text = bytes.TrimRight(text, "\r\n"); len(text) > 0 {
			out = appendLine(out, name, text)
		}
		if len(out) > 0 && (r.Buffered() == 0 || err != nil || len(out) >= maxLine) {
			l.write(out)
			out = out[:0]
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}
