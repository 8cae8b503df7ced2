package verify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nethouse-academy/albato/shared/webhook"
	"github.com/nethouse-academy/albato/shared/webhook/verify"
)

// request is one delivery and whether it is to be believed.
type request struct {
	Name    string            `json:"name"`
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"` // base64
	Now     int64             `json:"now"`
	Valid   bool              `json:"valid"`
}

// requests are the vectors of the specification, requests signed by our own sender, and what may be wrong with either.
func requests(t *testing.T) []request {
	t.Helper()
	text, err := os.ReadFile("../testdata/standard-webhooks.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Secret, ID, Body, Signature string
		Timestamp                         int64
	}
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) < 5 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	var all []request
	add := func(name string, v request, valid bool, change func(*request)) {
		r := v
		r.Headers = map[string]string{}
		for k, value := range v.Headers {
			r.Headers[k] = value
		}
		r.Name, r.Valid = v.Name+": "+name, valid
		change(&r)
		all = append(all, r)
	}
	for _, v := range vectors {
		r := request{Name: v.Name, Secret: v.Secret, Body: base64.StdEncoding.EncodeToString([]byte(v.Body)), Now: v.Timestamp, Headers: map[string]string{
			"webhook-id": v.ID, "webhook-timestamp": strconv.FormatInt(v.Timestamp, 10), "webhook-signature": v.Signature}}
		add("as it is", r, true, func(*request) {})
		add("almost too old", r, true, func(r *request) { r.Now += 300 })
		add("too old", r, false, func(r *request) { r.Now += 301 })
		add("from the future", r, false, func(r *request) { r.Now -= 301 })
		add("another id", r, false, func(r *request) { r.Headers["webhook-id"] += "x" })
		add("another time", r, false, func(r *request) { r.Headers["webhook-timestamp"] = strconv.FormatInt(v.Timestamp+1, 10) })
		add("a time that is none", r, false, func(r *request) { r.Headers["webhook-timestamp"] += ".0" })
		add("another body", r, false, func(r *request) { r.Body = base64.StdEncoding.EncodeToString([]byte(v.Body + " ")) })
		add("another secret", r, false, func(r *request) { r.Secret = "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)) })
		add("another version", r, false, func(r *request) { r.Headers["webhook-signature"] = "v2," + v.Signature[3:] })
		add("half a signature", r, false, func(r *request) { r.Headers["webhook-signature"] = v.Signature[:20] })
		add("no signature", r, false, func(r *request) { delete(r.Headers, "webhook-signature") })
		add("no id", r, false, func(r *request) { delete(r.Headers, "webhook-id") })
		add("no time", r, false, func(r *request) { delete(r.Headers, "webhook-timestamp") })
	}
	return append(all, ours(t)...)
}

// ours are signed as the sender signs, also while the secret is being rotated.
func ours(t *testing.T) []request {
	t.Helper()
	now, body := time.Unix(1795421100, 0), []byte(`{"data":{"order":{"buyer_name":"Ёлка «Я»"}}}`)
	current, previous := webhook.NewSecret(), webhook.NewSecret()
	signature, err := webhook.SignatureHeader([]webhook.Secret{current, previous}, "dlv_1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	var all []request
	for name, s := range map[string]webhook.Secret{"the new secret": current, "the previous secret": previous, "neither": webhook.NewSecret()} {
		all = append(all, request{Name: name, Secret: s.Reveal(), Now: now.Unix(), Valid: name != "neither", Body: base64.StdEncoding.EncodeToString(body),
			Headers: map[string]string{"webhook-id": "dlv_1", "webhook-timestamp": strconv.FormatInt(now.Unix(), 10), "webhook-signature": signature}})
	}
	return all
}

func TestGo(t *testing.T) {
	for _, r := range requests(t) {
		header := http.Header{}
		for k, v := range r.Headers {
			header.Set(k, v)
		}
		body, err := base64.StdEncoding.DecodeString(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify.Verify(r.Secret, header, body, time.Unix(r.Now, 0)); (err == nil) != r.Valid {
			t.Errorf("%s: %v, want valid=%v", r.Name, err, r.Valid)
		}
	}
}

// A program in each language reads the requests as JSON and prints what verify says of each.
var languages = map[string]struct{ program, driver, source string }{
	"Node": {"node", `import {readFileSync} from 'node:fs';
import {verify} from './verify.mjs';
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map(r => verify(r.secret, r.headers, Buffer.from(r.body, 'base64'), r.now))));`, verify.Node},
	"Python": {"python3", `import base64, json, sys
from verify import verify
print(json.dumps([verify(r["secret"], r["headers"], base64.b64decode(r["body"]), r["now"]) for r in json.load(sys.stdin)]))`, verify.Python},
	"PHP": {"php", `<?php require 'verify.php';
echo json_encode(array_map(fn($r) => verify($r['secret'], $r['headers'], base64_decode($r['body']), $r['now']), json_decode(stream_get_contents(STDIN), true)));`, verify.PHP},
}

var suffixes = map[string]string{"Node": ".mjs", "Python": ".py", "PHP": ".php"}

// Each language that this machine has says the same. Go alone suffices to run the tests, but CI must have others: there a
// run that checked none of them fails.
func TestOtherLanguages(t *testing.T) {
	all := requests(t)
	input, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var checked, missing []string
	for name, l := range languages {
		if _, err := exec.LookPath(l.program); err != nil {
			missing = append(missing, name)
			continue
		}
		checked = append(checked, name)
		dir := t.TempDir()
		for file, content := range map[string]string{"verify" + suffixes[name]: l.source, "driver" + suffixes[name]: l.driver} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), l.program, "driver"+suffixes[name])
		cmd.Dir, cmd.Stdin = dir, bytes.NewReader(input)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, stderr.String())
			continue
		}
		if err := compare(all, out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Logf("%d requests checked in %v; not on this machine: %v", len(all), checked, missing)
	if len(checked) == 0 && os.Getenv("CI") != "" {
		t.Error("none of the other languages is on this machine")
	}
}

func compare(all []request, out []byte) error {
	var said []bool
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(all) {
		return fmt.Errorf("%d answers for %d requests: %w", len(said), len(all), err)
	}
	for i, r := range all {
		if said[i] != r.Valid {
			return fmt.Errorf("%s: %v", r.Name, said[i])
		}
	}
	return nil
}
