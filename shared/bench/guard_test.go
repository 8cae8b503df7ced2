package main

import (
	"debug/buildinfo"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// The guard holds what does not depend on the machine, so that it does not grow unseen: what a function's archive weighs,
// and what it is made of. Every module in it is code that is uploaded, starts with it, and has to be kept current. Calls
// and allocations for an event are held by the tests of intake and sender.

// sdk are the modules of a function that calls AWS.
var sdk = []string{
	"github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2", "github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue",
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression", "github.com/aws/aws-sdk-go-v2/internal/configsources",
	"github.com/aws/aws-sdk-go-v2/internal/endpoints/v2", "github.com/aws/aws-sdk-go-v2/service/dynamodb",
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams", "github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding",
	"github.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery", "github.com/aws/aws-sdk-go-v2/service/sqs", "github.com/aws/smithy-go",
	"github.com/caarlos0/env/v11", "github.com/go-json-experiment/json", "github.com/klauspost/compress", "github.com/oklog/ulid/v2",
}

// allowed are the modules each function may be made of, the most packages, and the most megabytes of its archive.
var allowed = map[string]struct {
	modules  []string
	packages int
	zip      float64
}{
	"intake":      {append([]string{"github.com/aws/aws-sdk-go-v2/service/secretsmanager", "github.com/golang-jwt/jwt/v5"}, sdk...), 315, 4.5},
	"sender":      {append([]string{"github.com/aws/aws-sdk-go-v2/service/eventbridge", "github.com/aws/aws-sdk-go-v2/internal/v4a"}, sdk...), 315, 4.5},
	"connections": {append([]string{"github.com/aws/aws-sdk-go-v2/service/secretsmanager", "github.com/golang-jwt/jwt/v5", "golang.org/x/sync"}, sdk...), 315, 4.8},
	"page": {[]string{"github.com/aws/aws-lambda-go", "github.com/caarlos0/env/v11", "github.com/go-json-experiment/json",
		"github.com/oklog/ulid/v2", "go.yaml.in/yaml/v3"}, 230, 4.5},
}

func TestFunctionsStaySmall(t *testing.T) {
	localtest.Make(t, "functions")
	root := localtest.Root(t)
	if names := slices.Sorted(maps.Keys(allowed)); !slices.Equal(names, slices.Sorted(slices.Values(functionNames))) {
		t.Fatalf("the guard knows %v", names)
	}
	for name, want := range allowed {
		binary := filepath.Join(root, ".build", "run", name, "bootstrap")
		info, err := buildinfo.ReadFile(binary)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range info.Deps {
			if !slices.Contains(want.modules, m.Path) {
				t.Errorf("%s has a new module in it: %s", name, m.Path)
			}
		}
		_, zipped, err := sizes(binary)
		if err != nil {
			t.Fatal(err)
		}
		if megabytes := float64(zipped) / 1e6; megabytes > want.zip {
			t.Errorf("%s: the archive has %.2f MB, %.1f are allowed", name, megabytes, want.zip)
		}
		out, err := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", "./../../functions/"+name).Output()
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(out), "\n"); n > want.packages {
			t.Errorf("%s is made of %d packages, %d are allowed", name, n, want.packages)
		}
	}
}
