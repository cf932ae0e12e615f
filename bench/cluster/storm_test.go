//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

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
	gec := filepath.Join(t.TempDir(), "gec")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", gec, "gec/cmd/gec").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
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
	l := startLab(t, stormFlags()...)
	const schedules, seed = 12, 7
	if err := storm(t.Context(), l, schedules, seed, false, func(line string) { t.Log(line) }); err != nil {
		t.Error(err)
	}
}
