//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// command builds the gec of now, once for all tests.
var command = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "gec")
	if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, "gec/cmd/gec").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// scratch is a folder for as long as the tests run.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "gec-test-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// startLab starts a cluster with a gec of now.
func startLab(t *testing.T, flags ...string) *lab {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	etcd, err := filepath.Abs("../../bin/etcd")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(etcd); err != nil {
		t.Skipf("there is no etcd: run 'make bin/etcd' first (%v)", err)
	}
	gec, err := command()
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLab(t.Context(), gec, etcd, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

// TestStorm is a short storm on real processes; `make cluster-storm` runs long ones.
func TestStorm(t *testing.T) {
	t.Parallel() // beside TestAcross: both wait most of the time
	l := startLab(t, stormFlags()...)
	const schedules, seed = 12, 7
	if err := storm(t.Context(), l, schedules, seed, false, func(line string) { t.Log(line) }); err != nil {
		t.Error(err)
	}
}
