// Package account holds what is known of an organiser's account beside its connections: the name that Albato shows, and
// the tokens that let Albato subscribe by itself.
package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nethouse-academy/albato/shared/problem"
)

// MaxNameLength is the longest name of an account or a token, in characters.
const MaxNameLength = 100

// Name checks a name and gives it without the space around it. The error is an invalid_request for the field name.
func Name(raw string) (string, error) {
	name := strings.TrimSpace(raw)
	var wrong problem.Fields
	switch {
	case utf8.RuneCountInString(name) > MaxNameLength:
		wrong.Add("name", "Название слишком длинное: допустимо не больше 100 символов.")
	case strings.ContainsFunc(name, unicode.IsControl):
		wrong.Add("name", "В названии есть недопустимые символы, например перенос строки.")
	}
	return name, wrong.Err()
}
