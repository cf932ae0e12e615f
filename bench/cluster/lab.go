//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"gec/bench/service"
)

// size is the number of members, and of nodes.
const size = 3

// process is one member or node, which can be killed, stalled and started again.
type process struct {
	name string
	args []string
	log  *os.File
	mu   sync.Mutex
	cmd  *exec.Cmd
}

func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.cmd = cmd
	return nil
}

func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

// end sends the signal and waits for the end.
func (p *process) end(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(s)
	_ = p.cmd.Wait()
	p.cmd = nil
}

// lab is a cluster of processes.
type lab struct {
	dir string
	// keep lets close leave dir.
	keep    bool
	members [size]*process
	nodes   [size]*process
	// links are the proxies between nodes and members: links[node][member]; peers those by which the other
	// members reach one.
	links [size][size]*proxy
	peers [size]*proxy
	http  [size]string
	grpc  [size]string
	// client is that of writers, whose connections are kept.
	client *http.Client
}

// newLab starts a cluster whose nodes are started with further flags.
func newLab(ctx context.Context, gec, etcd string, flags ...string) (*lab, error) {
	for _, binary := range []string{gec, etcd} {
		if _, err := os.Stat(binary); err != nil {
			return nil, fmt.Errorf("%w: run 'make bin/etcd build' first", err)
		}
	}
	dir, err := os.MkdirTemp("", "gec-cluster-")
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, client: &http.Client{Timeout: 8 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
	if err := l.start(ctx, gec, etcd, flags); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) start(ctx context.Context, gec, etcd string, flags []string) error {
	if err := l.startMembers(etcd); err != nil {
		return err
	}
	for n := range size {
		if err := l.prepareNode(n, gec, flags); err != nil {
			return err
		}
		if err := l.nodes[n].start(); err != nil {
			return err
		}
	}
	for n := range size {
		if err := l.awaitNode(ctx, n); err != nil {
			return err
		}
	}
	_, err := l.equal(ctx, healMax)
	return err
}

func (l *lab) startMembers(etcd string) error {
	var clients, listens, cluster [size]string
	for m := range size {
		var err error
		if clients[m], err = service.FreeAddress(); err != nil {
			return err
		}
		if listens[m], err = service.FreeAddress(); err != nil {
			return err
		}
		if l.peers[m], err = newProxy(listens[m]); err != nil {
			return err
		}
		cluster[m] = fmt.Sprintf("m%d=http://%s", m, l.peers[m].address())
	}
	for m := range size {
		p, err := l.process(fmt.Sprintf("m%d", m), etcd, "--name", fmt.Sprintf("m%d", m), "--data-dir", filepath.Join(l.dir, fmt.Sprintf("etcd%d", m)),
			"--listen-client-urls", "http://"+clients[m], "--advertise-client-urls", "http://"+clients[m],
			"--listen-peer-urls", "http://"+listens[m], "--initial-advertise-peer-urls", "http://"+l.peers[m].address(),
			"--initial-cluster", strings.Join(cluster[:], ","), "--log-level", "error",
			"--auto-compaction-mode", "revision", "--auto-compaction-retention", "1000")
		if err != nil {
			return err
		}
		l.members[m] = p
		if err := p.start(); err != nil {
			return err
		}
		for n := range size {
			if l.links[n][m], err = newProxy(clients[m]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lab) prepareNode(n int, gec string, flags []string) error {
	var endpoints []string
	for m := range size {
		endpoints = append(endpoints, "http://"+l.links[n][m].address())
	}
	var err error
	if l.http[n], err = service.FreeAddress(); err != nil {
		return err
	}
	if l.grpc[n], err = service.FreeAddress(); err != nil {
		return err
	}
	args := []string{gec, "serve", "--store", "etcd", "--etcd-endpoints", strings.Join(endpoints, ","), "--data", l.folder(n),
		"--http", l.http[n], "--grpc", l.grpc[n], "--test-endpoints", "--log-requests=false", "--watermark-mib", "64"}
	args = append(args, flags...)
	if n == 0 {
		args = append(args, "--sample")
	}
	l.nodes[n], err = l.process(fmt.Sprintf("n%d", n), args...)
	return err
}

func (l *lab) folder(n int) string { return filepath.Join(l.dir, fmt.Sprintf("data%d", n)) }

func (l *lab) process(name string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(l.dir, name+".log"))
	return &process{name: name, args: args, log: log}, err
}

// close ends every process and, unless it is to be kept, removes what they wrote.
func (l *lab) close() {
	for n := range size {
		for _, p := range []*process{l.nodes[n], l.members[n]} {
			if p != nil {
				p.end(syscall.SIGKILL)
				_ = p.log.Close()
			}
		}
		if l.peers[n] != nil {
			l.peers[n].close()
		}
		for m := range size {
			if l.links[n][m] != nil {
				l.links[n][m].close()
			}
		}
	}
	if !l.keep {
		_ = os.RemoveAll(l.dir)
	}
}

// awaitNode returns once a node is ready.
func (l *lab) awaitNode(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if _, err := l.health(ctx, n); err == nil {
			return nil
		}
		pause(ctx, 20*time.Millisecond)
	}
	text, _ := os.ReadFile(l.nodes[n].log.Name())
	return fmt.Errorf("node %d does not become ready; its log ends with:\n%s", n, text[max(0, len(text)-2000):])
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// health is what a node says of itself.
type health struct {
	Status, Connected, Revision, AgeSeconds string
}

func (l *lab) health(ctx context.Context, n int) (h health, err error) {
	status, _, body, err := l.call(ctx, n, http.MethodGet, "/actuator/health/readiness", "", 0, time.Second)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d", status)
	}
	if err == nil {
		err = json.Unmarshal(body, &h)
	}
	return h, err
}

// call asks a node and returns the status, the revision in the answer's header and the body.
func (l *lab) call(ctx context.Context, n int, method, path, body string, seen int64, limit time.Duration) (status int, revision int64, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+l.http[n]+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, 0, nil, err
	}
	if seen > 0 {
		r.Header.Set("X-Catalogue-Revision", strconv.FormatInt(seen, 10))
	}
	w, err := l.client.Do(r)
	if err != nil {
		return 0, 0, nil, err
	}
	defer w.Body.Close()
	answer, err = io.ReadAll(w.Body)
	revision, _ = strconv.ParseInt(w.Header.Get("X-Catalogue-Revision"), 10, 64)
	return w.StatusCode, revision, answer, err
}

const payment = `{"payment": {"paymentType": "CP", "touchpoint": "CHECKOUT", "notices": [{"amountCents": 5000}]}}`

// quote asks one node for a quote and returns the revision that it was made on. Errors: also a quote without rows.
func (l *lab) quote(ctx context.Context, n int, seen int64, limit time.Duration) (int64, error) {
	status, revision, body, err := l.call(ctx, n, http.MethodPost, "/gec/v1/quote", payment, seen, limit)
	if err == nil && (status != http.StatusOK || !bytes.Contains(body, []byte("bundleId"))) {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	return revision, err
}

// errRefused says that a change was certainly not made.
var errRefused = errors.New("refused")

// add registers a touchpoint with a node and returns the revision that holds it.
func (l *lab) add(ctx context.Context, n int, name string) (int64, error) {
	return l.post(ctx, n, "/configuration/touchpoint/add", fmt.Sprintf(`[{"name":%q}]`, name))
}

// post makes a change on a node and returns the revision that holds it. Errors: errRefused.
func (l *lab) post(ctx context.Context, n int, path, change string) (int64, error) {
	status, revision, body, err := l.call(ctx, n, http.MethodPost, path, change, 0, 8*time.Second)
	switch {
	case err != nil && errors.Is(err, syscall.ECONNREFUSED):
		return 0, fmt.Errorf("%w: %w", errRefused, err)
	case err != nil:
		return 0, err
	case status == http.StatusCreated:
		return revision, nil
	case bytes.Contains(body, []byte("nothing was stored")), status == http.StatusConflict:
		return 0, fmt.Errorf("%w: %s", errRefused, body)
	}
	return 0, fmt.Errorf("status %d: %s", status, body)
}
