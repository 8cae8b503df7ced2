package telemetry

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Err is an error as a log attribute, without the link that a *url.Error carries, without other
// addresses, e-mails, phones and long texts.
func Err(err error) slog.Attr { return slog.String(Error, ErrText(err)) }

// ErrText is the text of [Err]: the error's own, cleaned and cut. A nil error gives "".
func ErrText(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	var u *url.Error
	if errors.As(err, &u) && u.URL != "" {
		text = strings.ReplaceAll(text, strconv.Quote(u.URL), "[url]")
		text = strings.ReplaceAll(text, u.URL, "[url]")
	}
	return cut(clean(text), maxError)
}

// Panic is a recovered value as a log attribute: its type and where it came from, never its
// content, which may hold anything; runtime errors have a text of their own making and keep it.
func Panic(v any) slog.Attr {
	what := fmt.Sprintf("%T", v)
	if re, ok := v.(runtime.Error); ok {
		what = re.Error()
	}
	return slog.String(Stack, clean(what+" at "+callers()))
}

// callers lists the functions above the panic, innermost first.
func callers() string {
	const deepest = 12
	pcs := make([]uintptr, deepest)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs)])
	var lines []string
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
			lines = append(lines, name+":"+strconv.Itoa(f.Line))
		}
		if !more {
			return strings.Join(lines, " < ")
		}
	}
}

const maxError = 300

var (
	urlPattern    = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s"'<>]+`)
	pathPattern   = regexp.MustCompile(`/(?:wh|h)/[^\s"'<>]+`)
	emailPattern  = regexp.MustCompile(`[^\s@"'<>:,;()]+@[^\s@"'<>:,;()]+\.[^\s@"'<>:,;()]+`)
	phonePattern  = regexp.MustCompile(`\+\d[\d ()-]{8,}\d`)
	secretPattern = regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]+`)
	tokenPattern  = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*`)
	bearerPattern = regexp.MustCompile(`(?i)bearer\s+[^\s"']+`)
)

// clean removes from a text what must not be logged, should it have got there. It is the second
// line of defence: the first is that nobody puts it there.
func clean(s string) string {
	if strings.ContainsAny(s, "/@+") || strings.Contains(s, "whsec_") || strings.Contains(s, "eyJ") ||
		strings.Contains(s, "earer") {
		s = cleanSchemes(s)
		s = pathPattern.ReplaceAllString(s, "[path]")
		s = secretPattern.ReplaceAllString(s, "[secret]")
		s = bearerPattern.ReplaceAllString(s, "[token]")
		s = tokenPattern.ReplaceAllString(s, "[token]")
		s = emailPattern.ReplaceAllString(s, "[e-mail]")
		s = phonePattern.ReplaceAllString(s, "[phone]")
	}
	return cut(s, maxValue)
}

// cleanSchemes leaves a masked link alone: its hidden parts are marked, and it is meant to be read.
func cleanSchemes(s string) string {
	return urlPattern.ReplaceAllStringFunc(s, func(u string) string {
		if strings.Contains(u, "…") {
			return u
		}
		return "[url]"
	})
}

func cut(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	for longest > 0 && !utf8.RuneStart(s[longest]) {
		longest--
	}
	return s[:longest] + "…"
}
