package webhook

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLinkLength is the longest link taken, in bytes.
const MaxLinkLength = 512

// Rules say which links are taken. The same rules are applied when a link is saved and every time
// it is used, so that a host taken off the list stops being called at once.
type Rules struct {
	// AllowedHosts are the hosts a link may have, without port, compared regardless of case.
	AllowedHosts []string
	// AllowLoopback also takes http and https links to this machine (localhost, 127.0.0.0/8, ::1)
	// with any port. It is for the local run only.
	AllowLoopback bool
}

// LinkError says in the organiser's language what is wrong with a link. It never contains the
// link or a part of it.
type LinkError struct{ Message string }

// Error returns the message, in Russian.
func (e *LinkError) Error() string { return e.Message }

// The messages of Rules.Check, one for each rule.
const (
	msgEmpty     = "Вставьте ссылку из поля Webhook в настройках связки Albato."
	msgSpaces    = "В ссылке есть пробел или перенос строки. Скопируйте её из Albato целиком и без лишних символов."
	msgSymbols   = "В ссылке есть недопустимые символы. Скопируйте её из Albato ещё раз."
	msgTooLong   = "Ссылка слишком длинная: допустимо не больше 512 символов."
	msgNotURL    = "Это не похоже на ссылку. Она начинается с https:// и копируется из поля Webhook связки Albato."
	msgNotHTTPS  = "Ссылка должна начинаться с https://."
	msgUserInfo  = "В ссылке не должно быть имени пользователя и пароля (части со знаком @ перед адресом сайта)."
	msgFragment  = "В ссылке не должно быть знака # и текста после него."
	msgPort      = "В ссылке не должно быть номера порта (двоеточия и числа после адреса сайта)."
	msgOtherHost = "Ссылка ведёт на другой сайт. Нужна ссылка из поля Webhook связки Albato; допустимые адреса: "
)

// Check tells whether the link may be saved and called; the error is a [*LinkError].
//
// A link that passes is sent byte for byte: anything the HTTP client would have to re-encode is
// refused here instead.
func (r Rules) Check(raw string) error {
	if msg := checkCharacters(raw); msg != "" {
		return &LinkError{msg}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.Host == "" || u.Scheme == "" {
		return &LinkError{msgNotURL}
	}
	if msg := r.checkURL(raw, u); msg != "" {
		return &LinkError{msg}
	}
	return nil
}

func checkCharacters(raw string) string {
	if strings.TrimSpace(raw) == "" {
		return msgEmpty
	}
	if len(raw) > MaxLinkLength && utf8.RuneCountInString(raw) > MaxLinkLength {
		return msgTooLong
	}
	for _, c := range raw {
		switch {
		case unicode.IsSpace(c) || c == '\u200b' || c == '\ufeff':
			return msgSpaces
		case c < 0x21 || c > 0x7e:
			return msgSymbols
		}
	}
	return ""
}

func (r Rules) checkURL(raw string, u *url.URL) string {
	loopback := r.AllowLoopback && isLoopbackHost(u.Hostname())
	switch {
	case u.User != nil:
		return msgUserInfo
	case strings.Contains(raw, "#"):
		return msgFragment
	case loopback && (u.Scheme == "http" || u.Scheme == "https"):
		if !validPort(u) {
			return msgNotURL
		}
	case u.Scheme != "https":
		return msgNotHTTPS
	case !r.allowed(u.Hostname()):
		return msgOtherHost + strings.Join(r.AllowedHosts, ", ") + "."
	case u.Host != u.Hostname():
		return msgPort // also a bare colon, and brackets, which no allowed name needs
	}
	if sent := raw[len(u.Scheme)+len("://")+len(u.Host):]; u.Path != "" && sent != u.RequestURI() {
		return msgSymbols // the client would send other bytes than were pasted
	}
	return ""
}

// allowed compares regardless of case, of ASCII alone: a percent-encoded K (U+212A) or ſ folds to a letter too.
func (r Rules) allowed(host string) bool {
	for _, h := range r.AllowedHosts {
		if host != "" && printableASCII(host) && strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

// validPort takes no port, or a number a socket can have.
func validPort(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	p := u.Port()
	if p == "" {
		return true
	}
	n, err := strconv.ParseUint(p, 10, 16)
	return err == nil && n > 0
}

// isLoopbackHost knows the plain spellings alone; 127.1 or 0x7f000001 are other hosts.
func isLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Zone() == "" && isLoopback(a)
}

// isLoopback does not count IPv4-mapped addresses, unlike netip's own method.
func isLoopback(a netip.Addr) bool { return !a.Is4In6() && a.IsLoopback() }

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
