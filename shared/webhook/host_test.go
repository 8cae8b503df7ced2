package webhook_test

import (
	"testing"

	"github.com/nethouse-academy/albato/shared/webhook"
)

// A host is allowed by its name, byte for byte but for ASCII case: nothing that merely folds, decodes or looks like it.
func TestOnlyTheNameItselfIsAllowed(t *testing.T) {
	rules := webhook.Rules{AllowedHosts: []string{"hooks.example"}}
	for _, link := range []string{"https://hooks.example", "https://hooks.example/x", "https://HOOKS.EXAMPLE/x", "https://hooks.example?@evil.example/"} {
		if err := rules.Check(link); err != nil {
			t.Errorf("%s: %v", link, err)
		}
	}
	for _, link := range []string{
		"https://hoo%E2%84%AAs.example", "https://hoo%E2%84%AAs.example/x", "https://hook%C5%BF.example", "https://hook%C5%BF.example?x", // K and ſ fold to k and s
		"https://hooks.example./x", "https://.hooks.example/x", "https://hooks%2eexample/x", "https://hooks%E3%80%82example/x", "https://\uff48ooks.example/x",
		"https://xn--hooks.example/x", "https://hooks.example%00/x", "https://hooks.example%00.evil.example/x", "https://hooks.example%20/", "https://hooks.example:/x",
		"https://hooks.example:443/x", "https://[hooks.example]/x", `https://hooks.example\@evil.example/`, `https://evil.example\@hooks.example/`,
		"https://hooks.example;evil.example/x", "https://@hooks.example/x", "https://:@hooks.example/x", "https://evil.example/hooks.example", "https://hooks.example%2f@evil.example/",
		"https://hooks.example.evil.example/x", "https://evilhooks.example/x", "https://evil.example#@hooks.example/", "https:hooks.example/x", "//hooks.example/x",
		"https:/hooks.example/x", "https:///hooks.example/x", "https://[fe80::1%25hooks.example]/x", "https://hooks.example,evil.example/x", "https://evil.example?hooks.example",
	} {
		if rules.Check(link) == nil {
			t.Errorf("%s is allowed", link)
		}
	}
}
