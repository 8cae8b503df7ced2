package delivery_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain checks 300 histories unless -rapid.checks says otherwise; `make test-histories` checks many more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "300"); err != nil {
		panic(err)
	}
	flag.Parse() // what the command line says comes last
	os.Exit(m.Run())
}
