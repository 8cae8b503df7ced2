package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"unicode/utf8"
)

// The codes of attempts without an answer. An answer other than 2xx has the code http_<status>.
const (
	CodeTimeout         = "timeout"          // no complete answer within the deadline
	CodeDNS             = "dns"              // the host's name could not be resolved
	CodeRefused         = "refused"          // nobody listens there
	CodeTLS             = "tls"              // no secure connection: certificate or handshake
	CodeConnection      = "connection"       // the connection broke or could not be made
	CodeBlocked         = "blocked"          // the link or its address is not allowed
	CodeInvalidResponse = "invalid_response" // the answer was not HTTP as we take it
	CodeInterrupted     = "interrupted"      // our own invocation ended; says nothing of the receiver
	CodeInternal        = "internal"         // our own fault; says nothing of the receiver
)

// progress notes how far a request came. The transport may call from goroutines of its own, also
// after the request has ended.
type progress struct {
	answered  atomic.Bool // a first byte of the answer was seen
	tlsFailed atomic.Bool // the handshake ended with an error of whatever type
	conn      atomic.Pointer[guardedConn]
}

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			conn := info.Conn
			if t, ok := conn.(*tls.Conn); ok {
				conn = t.NetConn()
			}
			if g, ok := conn.(*guardedConn); ok {
				p.conn.Store(g)
			}
		},
		GotFirstResponseByte: func() { p.answered.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				p.tlsFailed.Store(true)
			}
		},
	}
}

// blocked tells whether the guard closed the connection in use. HTTP/2 reports that to the request
// in several ways, not all of which carry the reason.
func (p *progress) blocked() bool {
	c := p.conn.Load()
	return c != nil && c.blocked.Load()
}

// classify says by the types of errors, never by their texts, why there was no answer.
func classify(ctx context.Context, err error, seen *progress) string {
	var (
		blocked *BlockedError
		dns     *net.DNSError
		network net.Error
	)
	switch {
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errDeadline):
		return CodeTimeout
	case ctx.Err() != nil:
		return CodeInterrupted
	case errors.As(err, &blocked), seen.blocked():
		return CodeBlocked
	case errors.As(err, &dns):
		return CodeDNS
	case isLocal(err):
		return CodeInternal
	case errors.As(err, &network) && network.Timeout():
		return CodeTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return CodeRefused
	case isTLS(err), seen.tlsFailed.Load():
		return CodeTLS
	case isBroken(err):
		return CodeConnection
	case seen.answered.Load():
		return CodeInvalidResponse
	}
	return CodeConnection
}

// isLocal knows what this machine has run out of.
func isLocal(err error) bool {
	for _, e := range [...]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

func isBroken(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &op)
}

// Explain says in the organiser's language what a code means and what he can do. An empty code
// gives an empty text.
func Explain(code string) string {
	switch code {
	case "":
		return ""
	case CodeTimeout:
		return "Сервер по ссылке не ответил вовремя."
	case CodeDNS:
		return "Не удалось найти сервер по адресу из ссылки."
	case CodeRefused:
		return "Сервер по ссылке не принимает соединения."
	case CodeTLS:
		return "Не удалось установить защищённое соединение с сервером: проблема с его сертификатом."
	case CodeConnection:
		return "Соединение с сервером по ссылке оборвалось."
	case CodeBlocked:
		return "Отправка по этому адресу запрещена. Вставьте ссылку из поля Webhook связки Albato."
	case CodeInvalidResponse:
		return "Сервер по ссылке ответил непонятно: это не похоже на Albato."
	case CodeInterrupted:
		return "Отправка прервалась на нашей стороне и будет повторена."
	case CodeInternal:
		return "Ошибка на нашей стороне. Отправка будет повторена."
	}
	if digits, ok := strings.CutPrefix(code, "http_"); ok {
		if status, err := strconv.Atoi(digits); err == nil {
			return explainStatus(status)
		}
	}
	return "Событие не удалось доставить."
}

func explainStatus(status int) string {
	answered := "Сервер по ссылке ответил кодом " + strconv.Itoa(status) + ": "
	switch {
	case status == 404:
		return answered + "ссылка неверна или связка в Albato не запущена. Проверьте, что связка включена, и скопируйте ссылку заново."
	case status == 410:
		return answered + "эта ссылка больше не действует. Вставьте новую из настроек связки."
	case status == 401 || status == 403:
		return answered + "доступ по этой ссылке закрыт. Скопируйте её из Albato заново."
	case status == 408 || status == 504:
		return answered + "он не успел обработать событие."
	case status == 413:
		return answered + "событие для него слишком велико."
	case status == 429:
		return answered + "слишком много запросов за короткое время."
	case status == 400 || status == 415 || status == 422:
		return answered + "он не принял именно это событие."
	case status/100 == 3:
		return answered + "он предлагает другой адрес, а мы отправляем только по вашей ссылке. Скопируйте её из Albato заново."
	case status/100 == 5:
		return answered + "на его стороне сбой."
	}
	return answered + "событие не принято."
}

// trimPartialRune drops an incomplete character at the end.
func trimPartialRune(b []byte) []byte {
	for i := 1; i <= utf8.UTFMax && i <= len(b); i++ {
		if tail := b[len(b)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}
