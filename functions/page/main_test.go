package main

import (
	"strings"
	"testing"
)

func TestConfigFaultsAreReportedTogether(t *testing.T) {
	for _, tt := range []struct{ ancestors, link, want string }{
		{"'self' https://a.example", "https://albato.ru/x", ""},
		{"'none'", "https://albato.ru/", ""},
		{"'self'; script-src *", "https://albato.ru/", "FRAME_ANCESTORS"},
		{"a,b", "https://albato.ru/", "FRAME_ANCESTORS"},
		{"a\nb", "https://albato.ru/", "FRAME_ANCESTORS"},
		{" ", "javascript:alert(1)", "FRAME_ANCESTORS REGISTRATION_URL"},
		{"'self'", "http://albato.ru/", "REGISTRATION_URL"},
		{"'self'", "https://", "REGISTRATION_URL"},
	} {
		err := run(t.Context(), map[string]string{"FRAME_ANCESTORS": tt.ancestors, "REGISTRATION_URL": tt.link, "ALLOW_LOOPBACK": "perhaps"})
		if err == nil {
			t.Fatal("a wrong environment was taken")
		}
		for _, name := range []string{"FRAME_ANCESTORS", "REGISTRATION_URL"} {
			if got := strings.Contains(err.Error(), name); got != strings.Contains(tt.want, name) {
				t.Errorf("%q %q: %v", tt.ancestors, tt.link, err)
			}
		}
		if !strings.Contains(err.Error(), "AllowLoopback") {
			t.Errorf("one fault hides another: %v", err)
		}
	}
}
