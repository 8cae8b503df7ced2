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
	return cut(localPhone.ReplaceAllString(clean(text), "[phone]"), maxError)
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

// A rule names a text that must not be logged; sign is a cheap test for it, since most texts hold
// nothing of the kind and a regular expression costs memory even then.
type rule struct {
	sign    string
	pattern *regexp.Regexp
	instead string
	isLink  bool // a link that is masked already stays: it is meant to be read
}

var rules = []rule{
	{"://", regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s"'<>]+`), "[url]", true},
	{"/wh/", regexp.MustCompile(`/wh/[^\s"'<>]+`), "[path]", true},
	{"/h/", regexp.MustCompile(`/h/[^\s"'<>]+`), "[path]", true},
	{"whsec_", regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]+`), "[secret]", false},
	{"earer", regexp.MustCompile(`(?i)bearer\s+[^\s"']+`), "[token]", false},
	{"alb_", regexp.MustCompile(`alb_[A-Za-z0-9_-]{16,}`), "[token]", false},
	{"eyJ", regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*`), "[token]", false},
	{"@", regexp.MustCompile(`[^\s@"'<>:,;()]+@[^\s@"'<>:,;()]+\.[^\s@"'<>:,;()]+`), "[e-mail]", false},
	{"+", regexp.MustCompile(`\+\d[\d ()-]{8,}\d`), "[phone]", false},
}

// A phone without its plus sign looks like an id, so it is looked for in errors alone.
var localPhone = regexp.MustCompile(`\b[78][ (-]*\d{3}[ )-]*\d{3}[ -]*\d{2}[ -]*\d{2}\b`)

// clean removes from a text what must not be logged, should it have got there. It is the second
// line of defence: the first is that nobody puts it there.
func clean(s string) string {
	for _, r := range rules {
		if strings.Contains(s, r.sign) {
			s = r.pattern.ReplaceAllStringFunc(s, func(found string) string {
				if r.isLink && isMasked(found) {
					return found
				}
				return r.instead
			})
		}
	}
	return cut(s, maxValue)
}

// isMasked tells a masked link from one that was merely cut: behind the host nothing long is left.
func isMasked(link string) bool {
	_, path, found := strings.Cut(link, "://")
	if found {
		_, path, _ = strings.Cut(path, "/")
	} else {
		path = link
	}
	return strings.Contains(path, "…") && !longRun.MatchString(path)
}

var longRun = regexp.MustCompile(`[^/…?]{5}`)

func cut(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	for longest > 0 && !utf8.RuneStart(s[longest]) {
		longest--
	}
	return s[:longest] + "…"
}
