package account_test

import (
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/account"
	"github.com/nethouse-academy/albato/shared/problem"
)

func TestTokenHashKnowsTokensByTheirForm(t *testing.T) {
	secret := account.NewToken()
	hash, ok := account.TokenHash(secret)
	if !ok || len(hash) != 64 || strings.Contains(hash, secret) || !strings.HasSuffix(secret, account.Hint(secret)) {
		t.Fatalf("hash %q, %v", hash, ok)
	}
	if again, _ := account.TokenHash(secret); again != hash {
		t.Error("the same token hashes differently")
	}
	if other, _ := account.TokenHash(account.NewToken()); other == hash {
		t.Error("two tokens hash alike")
	}
	// SHA-256 of the whole token, the prefix too: fixed, since it is what stands in the table.
	const fixed = "alb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if got, ok := account.TokenHash(fixed); !ok || got != "5a54b1909e03a3dc82292414c8b8bc1ae9fae7e96a67e6f0e007b210f4460573" {
		t.Errorf("hash of a known token: %s", got)
	}
	for name, s := range map[string]string{
		"nothing": "", "no prefix": secret[4:], "another prefix": "ALB_" + secret[4:], "one short": secret[:len(secret)-1],
		"one long": secret + "A", "another alphabet": "alb_" + strings.Repeat("+", 43), "padded": secret + "=",
		"bits left over": "alb_" + strings.Repeat("A", 42) + "B", "a line break": secret[:20] + "\n" + secret[20:],
	} {
		if _, ok := account.TokenHash(s); ok {
			t.Errorf("%s is taken for a token", name)
		}
	}
}

func TestName(t *testing.T) {
	for raw, want := range map[string]string{"": "", "  Школа «Ёж» ": "Школа «Ёж»", strings.Repeat("ё", 100): strings.Repeat("ё", 100)} {
		if got, err := account.Name(raw); err != nil || got != want {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{strings.Repeat("ё", 101), "a\nb", "a\x00b"} {
		if _, err := account.Name(raw); !problem.Is(err, problem.InvalidRequest) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}
