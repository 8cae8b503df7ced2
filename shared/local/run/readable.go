package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// readable is where the stack's log goes: as it is into a file or a pipe, for programs; on a terminal in a form a person
// follows, without the metrics.
func readable(out *os.File) io.Writer {
	if info, err := out.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return lineWriter{out}
	}
	return out
}

// lineWriter rewrites lines of the form `function | {JSON}`. It gets whole lines.
type lineWriter struct{ to io.Writer }

func (w lineWriter) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if text := readableLine(string(bytes.TrimRight(line, "\n"))); text != "" {
			if _, err := io.WriteString(w.to, text+"\n"); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

// readableLine puts time, level and message first and the rest as name=value. What is not a JSON object stays as it is;
// a metric becomes nothing.
func readableLine(line string) string {
	name, text, found := strings.Cut(line, "| ")
	if !found || !strings.HasPrefix(text, "{") {
		return line
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return line
	}
	var at, level, message string
	var rest strings.Builder
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return line
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return line
		}
		switch key {
		case "_aws":
			return ""
		case "time":
			if t, err := time.Parse(time.RFC3339Nano, fmt.Sprint(value)); err == nil {
				at = t.Local().Format("15:04:05.000")
			}
		case "level":
			level = fmt.Sprint(value)
		case "msg":
			message = fmt.Sprint(value)
		case "service", "version": // the same on every line
		default:
			if value != nil && value != "" {
				fmt.Fprintf(&rest, "  %s=%v", key, value)
			}
		}
	}
	return strings.TrimRight(fmt.Sprintf("%s %s%-5s %s%s", at, name, level, message, rest.String()), " ")
}
