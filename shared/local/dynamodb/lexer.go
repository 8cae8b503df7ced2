package dynamodb

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // an attribute name, a function or a keyword
	tokenName             // #name
	tokenValue            // :value
	tokenIndex            // digits
	tokenSymbol           // a comparator, a bracket, an operator
)

// token is one lexical element of an expression; start and end are its bytes.
type token struct {
	kind       tokenKind
	text       string
	start, end int
}

// tokenize cuts an expression. A character that starts no token is a symbol
// of its own, which no rule of the grammar accepts.
func tokenize(text string) []token {
	tokens := make([]token, 0, len(text)/4+2)
	for i := 0; ; {
		for i < len(text) && strings.IndexByte(" \t\r\n", text[i]) >= 0 {
			i++
		}
		if i == len(text) {
			return append(tokens, token{tokenEnd, "<EOF>", i, i})
		}
		kind, n := scanToken(text[i:])
		tokens = append(tokens, token{kind, text[i : i+n], i, i + n})
		i += n
	}
}

func scanToken(text string) (tokenKind, int) {
	first := text[0]
	switch {
	case isLetter(first):
		return tokenWord, wordLength(text, 1)
	case isDigit(first):
		n := 1
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		return tokenIndex, n
	case first == '#' || first == ':':
		n := wordLength(text, 1)
		switch {
		case n == 1:
			return tokenSymbol, 1
		case first == '#':
			return tokenName, n
		}
		return tokenValue, n
	}
	if len(text) > 1 {
		if two := text[:2]; two == "<>" || two == "<=" || two == ">=" {
			return tokenSymbol, 2
		}
	}
	_, n := utf8.DecodeRuneInString(text)
	return tokenSymbol, n
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func wordLength(text string, n int) int {
	for n < len(text) && (isLetter(text[n]) || isDigit(text[n]) || text[n] == '_') {
		n++
	}
	return n
}

// is tells a symbol by its text.
func (t token) is(symbol string) bool { return t.kind == tokenSymbol && t.text == symbol }

// isKeyword tells a keyword, whose case does not matter.
func (t token) isKeyword(words ...string) bool {
	if t.kind != tokenWord {
		return false
	}
	for _, w := range words {
		if strings.EqualFold(t.text, w) {
			return true
		}
	}
	return false
}
