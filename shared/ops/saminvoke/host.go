package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/nethouse-academy/albato/shared/local"
)

// environment gives the functions' environment as JSON for --env-vars: of the running stack, or of one started now.
func environment(ctx context.Context, o options) (variables, from string, closeStack func(), err error) {
	if text, err := os.ReadFile(o.environment); err == nil && answers(string(text)) {
		return string(text), "the running make run", func() {}, nil
	}
	s, err := local.Start(ctx, local.Options{Template: "template.yaml", Functions: filepath.Join(".build", "run")})
	if err != nil {
		return "", "", nil, err
	}
	text, err := json.Marshal(s.Environment)
	return string(text), "a stack of its own (no make run is running)", s.Close, err
}

var loopback = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// answers tells whether every service the environment names is there.
func answers(variables string) bool {
	found := loopback.FindAllString(variables, -1)
	for _, address := range found {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		_ = c.Close()
	}
	return len(found) > 0
}

// reachable lets containers reach the loopback addresses in variables, and names them as they see them.
func reachable(ctx context.Context, variables string) (string, func(), error) {
	bridge, err := bridgeAddress(ctx)
	if err != nil {
		return "", nil, err
	}
	if bridge == "" { // it is in a virtual machine, where host.docker.internal leads to this machine's loopback
		return loopback.ReplaceAllString(variables, "host.docker.internal:$1"), func() {}, nil
	}
	var listeners []net.Listener
	done := func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	}
	seen := map[string]bool{}
	for _, m := range loopback.FindAllStringSubmatch(variables, -1) {
		if seen[m[1]] {
			continue
		}
		seen[m[1]] = true
		l, err := net.Listen("tcp", net.JoinHostPort(bridge, m[1]))
		if err != nil {
			done()
			return "", nil, err
		}
		listeners = append(listeners, l)
		go relay(l, m[0])
	}
	return loopback.ReplaceAllString(variables, "host.docker.internal:$1"), done, nil
}

// bridgeAddress is this machine's address on docker's default network; empty when the network is not on this machine.
func bridgeAddress(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, "docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}").Output()
	if err != nil {
		return "", fmt.Errorf("asking for docker's bridge: %w", err)
	}
	_, subnet, err := net.ParseCIDR(strings.TrimSpace(string(text)))
	if err != nil {
		return "", err
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, a := range own {
		if n, ok := a.(*net.IPNet); ok && subnet.Contains(n.IP) {
			return n.IP.String(), nil
		}
	}
	return "", nil
}

// relay hands each connection to address until l is closed.
func relay(l net.Listener, address string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer in.Close()
			out, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			defer out.Close()
			go func() {
				_, _ = io.Copy(out, in)
				_ = out.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(in, out)
		}()
	}
}

// makeImage makes the image that `sam local invoke` looks for, unless it is there: the runtime interface emulator that
// comes with the SAM CLI on an empty file system. The functions are static binaries and need nothing else; AWS's own image
// has a shell and Amazon Linux's libraries besides.
func makeImage(ctx context.Context, sam string, out io.Writer) error {
	arch := architecture()
	image := "public.ecr.aws/lambda/provided:al2023-rapid-" + arch
	if exec.CommandContext(ctx, "docker", "image", "inspect", image).Run() == nil {
		return nil
	}
	found, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(sam)), "lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-"+arch))
	if err != nil || len(found) != 1 {
		return errors.Join(err, fmt.Errorf("no runtime interface emulator beside %s", sam))
	}
	emulator, err := os.ReadFile(found[0])
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, dir := range []string{"tmp/", "var/", "var/rapid/", "var/task/", "etc/"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o1777}); err != nil {
			return err
		}
	}
	if err := w.WriteHeader(&tar.Header{Name: "var/rapid/aws-lambda-rie", Mode: 0o755, Size: int64(len(emulator))}); err != nil {
		return err
	}
	if _, err := w.Write(emulator); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "docker", "import", "-", image)
	command.Stdin = &archive
	if text, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("docker import: %w: %s", err, text)
	}
	fmt.Fprintln(out, "made", image)
	return nil
}

// architecture is this machine's, in the template's words.
func architecture() string {
	return map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
}
