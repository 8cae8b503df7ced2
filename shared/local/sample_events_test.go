package local_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nethouse-academy/albato/shared/local"
	"github.com/nethouse-academy/albato/shared/local/localtest"
)

// The events that stand beside each function for `sam local invoke` work: no function crashes on one, none answers 5xx.
func TestSampleEventsOfTheFunctions(t *testing.T) {
	s := localtest.Start(t, local.Options{})
	for id, f := range s.Functions {
		folder := filepath.Join(localtest.Root(t), "functions", strings.ToLower(strings.TrimSuffix(id, "Function")), "events")
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s holds no event (%v)", folder, err)
		}
		for _, file := range files {
			event, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out, err := f.Invoke(t.Context(), event)
			if err != nil {
				t.Errorf("%s %s: %v", id, filepath.Base(file), err)
				continue
			}
			var answer struct {
				StatusCode        int   `json:"statusCode"`
				BatchItemFailures []any `json:"batchItemFailures"`
			}
			if err := json.Unmarshal(out, &answer); err != nil || answer.StatusCode >= 500 || id != "SenderFunction" && answer.StatusCode == 0 {
				t.Errorf("%s %s: %s (%v)", id, filepath.Base(file), out, err)
			}
		}
	}
}
