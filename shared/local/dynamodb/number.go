package dynamodb

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
)

// Limits of a number: 38 significant digits, magnitude from 1E-130 up to
// 9.99…E+125 ("Data types" in the Developer Guide). As 0.digits × 10^exponent
// that is an exponent of -129 … 126, which fits one byte.
const (
	maxDigits   = 38
	maxExponent = 126
	minExponent = -129
)

// number is sign × 0.digits × 10^exponent; digits has no zero at either end,
// and is empty for zero.
type number struct {
	negative bool
	digits   string
	exponent int
}

// canonicalNumber checks a number and writes it the one way the service
// answers it: plain decimal, no exponent, no superfluous zero.
func canonicalNumber(text string) (string, error) {
	if isPlainInteger(text) {
		return text, nil
	}
	n, ok := scanNumber(text)
	if !ok {
		if text == "" {
			return "", validation("The parameter cannot be converted to a numeric value")
		}
		return "", validation("The parameter cannot be converted to a numeric value: " + text)
	}
	if err := n.check(); err != nil {
		return "", err
	}
	return n.String(), nil
}

// isPlainInteger finds what is canonical already, the usual case.
func isPlainInteger(text string) bool {
	if text == "" || len(text) > maxDigits || text[0] < '1' || text[0] > '9' {
		return text == "0"
	}
	for i := 1; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// scanNumber reads [sign] digits [. digits] [e [sign] digits].
func scanNumber(text string) (n number, ok bool) {
	rest := text
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		n.negative = rest[0] == '-'
		rest = rest[1:]
	}
	scale := 0
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		exponent, err := strconv.ParseInt(rest[i+1:], 10, 32)
		if err != nil {
			return number{}, false
		}
		scale, rest = int(exponent), rest[:i]
	}
	whole, fraction, _ := strings.Cut(rest, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return number{}, false
	}
	return newNumber(n.negative, whole+fraction, scale+len(whole)), true
}

// newNumber trims the zeros of ±0.digits × 10^exponent.
func newNumber(negative bool, digits string, exponent int) number {
	trimmed := strings.TrimLeft(digits, "0")
	exponent -= len(digits) - len(trimmed)
	trimmed = strings.TrimRight(trimmed, "0")
	if trimmed == "" {
		return number{}
	}
	return number{negative: negative, digits: trimmed, exponent: exponent}
}

// parseNumber reads a canonical number.
func parseNumber(canonical string) number {
	n, _ := scanNumber(canonical)
	return n
}

func (n number) check() error {
	switch {
	case len(n.digits) > maxDigits:
		return validation("Attempting to store more than 38 significant digits in a Number")
	case n.exponent > maxExponent:
		return validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case n.exponent < minExponent:
		return validation("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return nil
}

func (n number) String() string {
	sign := ""
	if n.negative {
		sign = "-"
	}
	switch {
	case n.digits == "":
		return "0"
	case n.exponent <= 0:
		return sign + "0." + strings.Repeat("0", -n.exponent) + n.digits
	case n.exponent >= len(n.digits):
		return sign + n.digits + strings.Repeat("0", n.exponent-len(n.digits))
	}
	return sign + n.digits[:n.exponent] + "." + n.digits[n.exponent:]
}

func (n number) integer(scale int) *big.Int {
	x := new(big.Int)
	if n.digits != "" {
		x.SetString(n.digits, 10)
		shift := big.NewInt(int64(n.exponent - len(n.digits) - scale))
		x.Mul(x, shift.Exp(big.NewInt(10), shift, nil))
	}
	if n.negative {
		x.Neg(x)
	}
	return x
}

// addNumbers adds two canonical numbers exactly, or subtracts the second; a
// result that 38 digits cannot hold is an error, never rounded.
func addNumbers(a, b string, subtract bool) (string, error) {
	x, y := parseNumber(a), parseNumber(b)
	if subtract {
		y.negative = !y.negative
	}
	scale := min(x.exponent-len(x.digits), y.exponent-len(y.digits))
	sum := x.integer(scale)
	sum.Add(sum, y.integer(scale))
	digits := new(big.Int).Abs(sum).String()
	n := newNumber(sum.Sign() < 0, digits, len(digits)+scale)
	if err := n.check(); err != nil {
		return "", err
	}
	return n.String(), nil
}

func compareNumbers(a, b string) int {
	if a == b {
		return 0
	}
	x, y := parseNumber(a), parseNumber(b)
	if c := cmp.Compare(x.sign(), y.sign()); c != 0 {
		return c
	}
	return x.sign() * cmp.Or(cmp.Compare(x.exponent, y.exponent), cmp.Compare(x.digits, y.digits))
}

func (n number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	}
	return 1
}

// sortableNumber encodes a canonical number so that byte order is numeric
// order: a sign byte, the exponent, the digits; complemented when negative,
// and then closed by 0xFF since a longer negative number is the smaller one.
func sortableNumber(canonical string) string {
	n := parseNumber(canonical)
	if n.digits == "" {
		return "\x80"
	}
	b := make([]byte, 0, len(n.digits)+3)
	exponent := byte(n.exponent - minExponent)
	if !n.negative {
		b = append(b, 0xC0, exponent)
		return string(append(b, n.digits...))
	}
	b = append(b, 0x40, 0xFF-exponent)
	for i := range len(n.digits) {
		b = append(b, '0'+'9'-n.digits[i])
	}
	return string(append(b, 0xFF))
}

// numberSize is one byte for two significant digits, one more, and one for a
// minus sign.
func numberSize(canonical string) int {
	n := parseNumber(canonical)
	size := 1 + (len(n.digits)+1)/2
	if n.negative {
		size++
	}
	return size
}
