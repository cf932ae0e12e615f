package badger

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gec/bundles"
)

// childFolder names the folder that a child process of TestKill works in.
const childFolder = "GEC_TEST_KILL_FOLDER"

// runChild commits until it is killed, if this process was started for that by TestKill: eight clients,
// each with batches of its own, each acknowledged in one line with its revision.
func runChild() bool {
	dir := os.Getenv(childFolder)
	if dir == "" {
		return false
	}
	s, err := open(dir, Options{})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for {
				base := s.head.Load().Revision
				rows := put(40, fmt.Sprint(base+1))
				if base%30 == 29 {
					rows = put(chunkRowsMax+1, fmt.Sprint(base+1))
				}
				r, err := s.Commit(context.Background(), bundles.Commit{Base: base, Record: bundles.Record{Caller: "child"}, Rows: rows})
				if err == nil {
					fmt.Printf("%d\n", r.Revision)
				}
			}
		})
	}
	clients.Wait()
	return true
}

// TestKill kills a process that writes, at random, again and again in one folder: every acknowledged
// revision is there, each is whole, and the folder opens at once. GEC_TEST_KILLS sets how often.
func TestKill(t *testing.T) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("GEC_TEST_KILLS")); err == nil {
		kills = n
	} else if testing.Short() || raceDetector {
		kills = 2
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for range kills {
		acknowledged := killAfter(t, dir, 1+random.IntN(60))
		s := mustOpen(t, dir, Options{})
		head := s.head.Load().Revision
		if head < acknowledged {
			t.Errorf("revision %d was acknowledged, the head is %d", acknowledged, head)
		}
		rows, err := s.Verify(t.Context())
		if err != nil {
			t.Error(err)
		}
		if got := keys(t, s, "rc"); got != 2*rows {
			t.Errorf("%d keys for %d rows: orphans were left", got, rows)
		}
		mustClose(t, s)
	}
}

// killAfter runs a child until it has acknowledged some revisions, kills it, and returns the last one
// that it acknowledged.
func killAfter(t *testing.T, dir string, acknowledgements int) (last int64) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+dir)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for count := 1; lines.Scan(); count++ {
		revision, err := strconv.ParseInt(strings.TrimSpace(lines.Text()), 10, 64)
		if err != nil {
			t.Errorf("the child says %q", lines.Text())
			break
		}
		last = max(last, revision)
		if count == acknowledgements {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	return last
}
