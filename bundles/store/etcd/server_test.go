package etcd

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/bundles/store/storetest"
)

// server starts one etcd on loopback, with further flags, and returns its endpoint. The test is skipped where there is no etcd.
func server(t testing.TB, flags ...string) string {
	t.Helper()
	binary := os.Getenv("GEC_TEST_ETCD")
	if binary == "" {
		binary, _ = filepath.Abs("../../../bin/etcd")
	}
	if _, err := os.Stat(binary); err != nil {
		t.Skipf("there is no etcd: run 'make bin/etcd' first (%v)", err)
	}
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	client, peer := address(t), address(t)
	cmd := exec.CommandContext(t.Context(), binary, append(flags, "--name", "one", "--data-dir", filepath.Join(dir, "data"),
		"--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
		"--initial-advertise-peer-urls", peer, "--initial-cluster", "one="+peer, "--log-level", "error", "--unsafe-no-fsync")...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return client
}

// address returns a free address on loopback.
func address(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

var prefixes atomic.Int64

// open opens a store on a new folder under a prefix and keeps it up with etcd until the test ends.
func open(t testing.TB, endpoint, prefix string) *Store {
	t.Helper()
	copied, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, WatermarkBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(copied, Options{Endpoints: []string{endpoint}, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx, func(context.Context) error { return nil }) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newPrefix() string { return fmt.Sprintf("test-%d/", prefixes.Add(1)) }

func TestContract(t *testing.T) {
	endpoint := server(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	storetest.RunAll(t, func(t *testing.T) bundles.Store { return open(t, endpoint, newPrefix()) })
}

// reached waits until a store's copy is at a revision.
func reached(t *testing.T, s *Store, revision int64) bundles.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		r, err := s.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if r.Revision >= revision {
			return r
		}
		if err := s.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
