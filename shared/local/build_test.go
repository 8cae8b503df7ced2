package local_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// What `sam build` makes is the same to the byte each time, is what runs here, and names no folder of whoever built it.
func TestBuildsAreReproducible(t *testing.T) {
	localtest.Make(t, "functions")
	root := localtest.Root(t)
	here, err := os.ReadFile(filepath.Join(root, ".build", "run", "page", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command("make", "-s", "-C", root, "build-PageFunction", "ARTIFACTS_DIR="+dir, "ARCH="+runtime.GOARCH)
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	there, err := os.ReadFile(filepath.Join(dir, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && !bytes.Equal(here, there) {
		t.Error("two builds differ")
	}
	home, _ := os.UserHomeDir()
	for _, path := range []string{root, home + "/"} {
		if len(path) > 2 && bytes.Contains(there, []byte(path)) {
			t.Errorf("the binary names %s", path)
		}
	}
}
