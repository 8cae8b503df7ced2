package table_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/account"
	"github.com/nethouse-academy/albato/shared/problem"
)

func newToken(n int) account.Token {
	id := strconv.Itoa(n)
	return account.Token{ID: "tok_" + id, AccountID: "a1", Name: "Albato " + id, Hint: "xYz" + id, Hash: "hash-" + id,
		CreatedAt: start.Add(time.Duration(n) * time.Millisecond)}
}

func TestATokenLeadsToItsAccountUntilItIsRevoked(t *testing.T) {
	tb, _, _ := newTable(t)
	one, two := newToken(1), newToken(2)
	for _, k := range []account.Token{one, two} {
		if err := tb.CreateToken(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := tb.Tokens(t.Context(), "a1"); err != nil || !slices.Equal(got, []account.Token{one, two}) {
		t.Errorf("tokens %+v, %v", got, err)
	}
	if got, err := tb.Tokens(t.Context(), "a2"); err != nil || len(got) != 0 {
		t.Errorf("another account's tokens %+v, %v", got, err)
	}
	whose := func(hash, want string) {
		t.Helper()
		if got, err := tb.AccountOfToken(t.Context(), hash); err != nil || got != want {
			t.Errorf("%s is of %q, %v; want %q", hash, got, err, want)
		}
	}
	whose(one.Hash, "a1")
	whose("hash-3", "")
	if found, err := tb.DeleteToken(t.Context(), "a2", one.ID); err != nil || found {
		t.Errorf("another account revoked it: %v, %v", found, err)
	}
	for _, want := range []bool{true, false} {
		if found, err := tb.DeleteToken(t.Context(), "a1", one.ID); err != nil || found != want {
			t.Errorf("revoking: %v, %v; want %v", found, err, want)
		}
	}
	whose(one.Hash, "")
	whose(two.Hash, "a1")
	if err := tb.ForgetTokens(t.Context(), "a1"); err != nil {
		t.Fatal(err)
	}
	whose(two.Hash, "")
	if err := tb.CreateToken(t.Context(), two); err != nil {
		t.Errorf("a forgotten token leaves something behind: %v", err)
	}
	if err := tb.CreateToken(t.Context(), two); err == nil {
		t.Error("a token was made twice")
	}
}

func TestAnAccountHasAFewTokens(t *testing.T) {
	tb, _, _ := newTable(t)
	for n := range account.MaxTokens {
		if err := tb.CreateToken(t.Context(), newToken(n)); err != nil {
			t.Fatal(err)
		}
	}
	more := newToken(99)
	if err := tb.CreateToken(t.Context(), more); !problem.Is(err, problem.Conflict) {
		t.Fatalf("one more than the limit: %v", err)
	}
	if got, err := tb.AccountOfToken(t.Context(), more.Hash); err != nil || got != "" {
		t.Errorf("a refused token works: %q, %v", got, err)
	}
	if _, err := tb.DeleteToken(t.Context(), "a1", "tok_3"); err != nil {
		t.Fatal(err)
	}
	if err := tb.CreateToken(t.Context(), more); err != nil {
		t.Errorf("no room after one was revoked: %v", err)
	}
}

func TestAccountName(t *testing.T) {
	tb, _, _ := newTable(t)
	want := func(name string) {
		t.Helper()
		if got, err := tb.AccountName(t.Context(), "a1"); err != nil || got != name {
			t.Errorf("name %q, %v; want %q", got, err, name)
		}
	}
	want("")
	if err := tb.SetAccountName(t.Context(), "a1", "Школа"); err != nil {
		t.Fatal(err)
	}
	c := create(t, tb, newConnection("con_1")) // counts in the same item
	want("Школа")
	if err := tb.ForgetAccount(t.Context(), "a1"); err != nil {
		t.Fatal(err)
	}
	want("Школа") // a connection is left
	after := c
	after.Delete(start)
	if err := tb.Update(t.Context(), c, after); err != nil {
		t.Fatal(err)
	}
	if err := tb.ForgetAccount(t.Context(), "a1"); err != nil {
		t.Fatal(err)
	}
	want("")
	for _, name := range []string{"Школа", ""} {
		if err := tb.SetAccountName(t.Context(), "a1", name); err != nil {
			t.Fatal(err)
		}
		want(name)
	}
}
