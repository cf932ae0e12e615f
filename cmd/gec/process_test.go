package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gec/bench/service"
)

// binary is the real command, built by TestMain. Tests read it only.
var binary string

// patience is how long a test waits for what must come before it fails.
const patience = time.Minute

// serverLife is how long a server may run: on a machine that does other things beside, a long test takes its time.
const serverLife = 30 * time.Minute

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if service.IsFill(os.Args[1:]) {
			if err := service.Fill(context.Background(), os.Args[1:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			return 0
		}
		dir, err := os.MkdirTemp("", "gec-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "gec")
		build := exec.Command("go", "build", "-ldflags", "-s -w -X main.version=v0.0.0-test", "-o", binary, ".")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// result is what a command that ended left.
type result struct {
	stdout, stderr string
	code           int
}

// command makes a call of the binary in an environment without settings.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return commandOf(t, binary, args...)
}

func commandOf(t *testing.T, path string, args ...string) *exec.Cmd {
	t.Helper()
	return commandFor(t, patience, path, args...)
}

// commandFor is commandOf for one that is ended after a time of its own.
func commandFor(t *testing.T, limit time.Duration, path string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = t.TempDir()
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GEC_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	return cmd
}

// finish runs a command to its end.
func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// gec runs the binary to its end.
func gec(t *testing.T, args ...string) result {
	t.Helper()
	return finish(t, command(t, args...))
}

// must runs the binary and fails the test unless it exits with 0.
func must(t *testing.T, args ...string) result {
	t.Helper()
	r := gec(t, args...)
	if r.code != 0 {
		t.Fatalf("gec %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r
}

// server is a running `gec serve`.
type server struct {
	cmd *exec.Cmd
	// ready is its line on stdout, http and grpc the addresses in it.
	ready, http, grpc string
	stdout            *bufio.Reader
	stderr            *log
	ended             bool
}

var readyLine = regexp.MustCompile(`^ready http=(127\.0\.0\.1:[1-9]\d*) grpc=(127\.0\.0\.1:[1-9]\d*) revision=\d+ bundles=\d+\n$`)

// serve starts a server on free ports and waits until it is ready. The test stops it at its end.
func serve(t *testing.T, data string, args ...string) *server {
	t.Helper()
	return start(t, binary, nil, append([]string{"serve", "--data", data, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"}, args...)...)
}

// start is serve for another binary, further variables of the environment, and all arguments.
func start(t *testing.T, path string, environ []string, args ...string) *server {
	t.Helper()
	s := &server{stderr: &log{}}
	s.cmd = commandFor(t, serverLife, path, args...)
	s.cmd.Env = append(s.cmd.Env, environ...)
	s.stderr.changed = sync.NewCond(&s.stderr.mu)
	s.cmd.Stderr = s.stderr
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !s.ended {
			s.signal(t, syscall.SIGTERM)
			s.wait(t)
		}
	})
	s.stdout = bufio.NewReader(stdout)
	s.ready, err = s.stdout.ReadString('\n')
	addresses := readyLine.FindStringSubmatch(s.ready)
	if err != nil || addresses == nil {
		t.Fatalf("ready line is %q, %v; log:\n%s", s.ready, err, s.stderr)
	}
	s.http, s.grpc = "http://"+addresses[1], addresses[2]
	return s
}

func (s *server) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		t.Errorf("%v; log:\n%s", err, s.stderr)
	}
}

// wait returns the exit code of the server and what else it wrote to stdout.
func (s *server) wait(t *testing.T) (code int, rest string) {
	t.Helper()
	s.ended = true
	more, err := io.ReadAll(s.stdout)
	if err != nil {
		t.Error(err)
	}
	err = s.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Error(err)
	}
	return s.cmd.ProcessState.ExitCode(), string(more)
}

// stop ends the server as an operator does and checks that it goes in peace.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.signal(t, syscall.SIGTERM)
	if code, rest := s.wait(t); code != 0 || rest != "" {
		t.Errorf("exit code %d, more on stdout %q; log:\n%s", code, rest, s.stderr)
	}
}

// log collects what a process writes, and tells who waits for it.
type log struct {
	mu      sync.Mutex
	changed *sync.Cond
	text    strings.Builder
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed.Broadcast()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await returns once the text was written; the process's own time limit ends a wait in vain.
func (l *log) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.AfterFunc(patience, l.changed.Broadcast)
	defer deadline.Stop()
	started := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !strings.Contains(l.text.String(), text) {
		if time.Since(started) >= patience {
			t.Fatalf("%q is not in the log:\n%s", text, l.text.String())
		}
		l.changed.Wait()
	}
}
