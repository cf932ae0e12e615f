package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// readyTimeout bounds the wait for a process to answer; stopTimeout that for it to end.
const (
	readyTimeout = 2 * time.Minute
	stopTimeout  = 30 * time.Second
)

// Process is a running server.
type Process struct {
	// HTTP and GRPC are the addresses that it listens on; empty where it does not.
	HTTP, GRPC string
	// ReadyAfter is the time from its start to the line that says so.
	ReadyAfter time.Duration
	command    *exec.Cmd
	stderr     *tail
}

// Start runs a server and waits until it prints its line "ready http=ADDRESS grpc=ADDRESS …" on stdout, of
// which either address may be missing. Errors say what it printed on stderr at last.
func Start(ctx context.Context, name string, args ...string) (*Process, error) {
	p := &Process{command: exec.CommandContext(ctx, name, args...), stderr: &tail{}}
	p.command.Stderr = p.stderr
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	line := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		if lines.Scan() {
			line <- lines.Text()
		}
		close(line)
		_, _ = io.Copy(io.Discard, stdout) // so that the process never waits for a reader
	}()
	timeout := time.NewTimer(readyTimeout)
	defer timeout.Stop()
	select {
	case text, ok := <-line:
		p.ReadyAfter = time.Since(started)
		if ok && p.parse(text) {
			return p, nil
		}
		err = fmt.Errorf("%s did not get ready: %s %s", name, text, p.stderr)
	case <-timeout.C:
		err = fmt.Errorf("%s did not get ready in %s: %s", name, readyTimeout, p.stderr)
	}
	return nil, errors.Join(err, p.Stop())
}

func (p *Process) parse(line string) bool {
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != "ready" {
		return false
	}
	for _, word := range words[1:] {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "http":
			p.HTTP = value
		case "grpc":
			p.GRPC = value
		}
	}
	return p.HTTP != "" || p.GRPC != ""
}

// Stop tells the server to end and waits until it has.
func (p *Process) Stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	kill := time.AfterFunc(stopTimeout, func() { _ = p.command.Process.Kill() })
	defer kill.Stop()
	err := p.command.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("%s ended with %w: %s", p.command.Path, err, p.stderr)
	}
	return err
}

// Resident is the memory of a process that is in use, in bytes.
type Resident struct {
	// Bytes are all of them, Mapped those of files, which the system takes back when it needs them: the
	// binary and the tables of the store.
	Bytes, Mapped int64
}

// Own returns the bytes that are not those of files.
func (r Resident) Own() int64 { return r.Bytes - r.Mapped }

// String returns both numbers, in megabytes.
func (r Resident) String() string {
	return fmt.Sprintf("%d MB, %d of them mapped files", (r.Bytes+1<<19)>>20, (r.Mapped+1<<19)>>20)
}

// Resident returns the memory that is in use now. Errors: where there is no /proc.
func (p *Process) Resident() (r Resident, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return r, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch {
		case name == "VmRSS" && err == nil:
			r.Bytes = kilobytes << 10
		case name == "RssFile" && err == nil:
			r.Mapped = kilobytes << 10
		}
	}
	if r.Bytes == 0 {
		return r, errors.New("/proc tells no VmRSS")
	}
	return r, nil
}

// ticksPerSecond is the unit of processor times in /proc, the same on all of Linux.
const ticksPerSecond = 100

// ProcessorTime returns the processor time that the process has used. Errors: where there is no /proc.
func (p *Process) ProcessorTime() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name of the process, in brackets, may hold anything; the fields are counted after it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("/proc tells no processor time")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticksPerSecond, err
}

// ownProcessorTime returns the processor time that this process, the client, has used.
func ownProcessorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0 // no system that has /proc refuses it
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// tail keeps the end of what is written to it.
type tail struct{ last []byte }

const tailBytes = 2 << 10

// Write implements io.Writer.
func (t *tail) Write(text []byte) (int, error) {
	t.last = append(t.last, text...)
	if len(t.last) > tailBytes {
		t.last = append(t.last[:0], t.last[len(t.last)-tailBytes:]...)
	}
	return len(text), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.last)) }
