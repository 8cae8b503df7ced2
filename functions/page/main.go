// Command page serves the organiser's page with its assets, and what else needs no token: the triggers, the health, and
// the answer to every address that is not there.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"

	"github.com/caarlos0/env/v11"

	"github.com/nethouse-academy/albato/shared/apigw"
	"github.com/nethouse-academy/albato/shared/invocation"
	"github.com/nethouse-academy/albato/shared/telemetry"
)

// config is the function's environment; the template sets all of it but AllowLoopback.
type config struct {
	AllowedHosts    []string `env:"ALLOWED_HOSTS" envDefault:"h.albato.ru,h.albato.com"`
	AllowLoopback   bool     `env:"ALLOW_LOOPBACK"` // set by the local run alone
	FrameAncestors  string   `env:"FRAME_ANCESTORS" envDefault:"'self'"`
	RegistrationURL string   `env:"REGISTRATION_URL" envDefault:"https://albato.ru/"`
	LogLevel        string   `env:"LOG_LEVEL" envDefault:"info"`
	Version         string   `env:"VERSION" envDefault:"dev"`
}

// sources are those of frame-ancestors; nothing that would end the directive or the header is one.
var sources = regexp.MustCompile(`^[^\s;,]+( [^\s;,]+)*$`)

// validate reports every fault together.
func (c config) validate() error {
	var faults []error
	if !sources.MatchString(c.FrameAncestors) {
		faults = append(faults, errors.New("FRAME_ANCESTORS must be sources separated by single spaces"))
	}
	if u, err := url.Parse(c.RegistrationURL); err != nil || u.Scheme != "https" || u.Host == "" {
		faults = append(faults, errors.New("REGISTRATION_URL must be an https address"))
	}
	return errors.Join(faults...)
}

// hosts are the hosts a link may have, for the page's instant check; the server's own is the one that counts.
func (c config) hosts() []string {
	if c.AllowLoopback {
		return append(c.AllowedHosts[:len(c.AllowedHosts):len(c.AllowedHosts)], "localhost")
	}
	return c.AllowedHosts
}

func main() {
	if err := run(context.Background(), env.ToMap(os.Environ())); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, environment map[string]string) error {
	cfg, err := env.ParseAsWithOptions[config](env.Options{Environment: environment})
	if err = errors.Join(err, cfg.validate()); err != nil {
		return err
	}
	h, err := newHandler(cfg)
	if err != nil {
		return err
	}
	out := telemetry.NewOutput(os.Stdout)
	logger := telemetry.NewLogger(out, cfg.LogLevel, "page", cfg.Version)
	invocation.Start(ctx, apigw.Handler(h.routes(), apigw.WithLogger(logger)), out)
	return nil
}
