package etcd

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"gec/bundles/store/badger"
)

// link passes connections on to etcd, and can be cut.
type link struct {
	listener net.Listener
	target   string
	// made counts the connections that came about.
	made atomic.Int64
	all  sync.WaitGroup
	mu   sync.Mutex
	cut  bool
	open map[net.Conn]bool
}

func newLink(t *testing.T, endpoint string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener, target: strings.TrimPrefix(endpoint, "http://"), open: map[net.Conn]bool{}}
	l.all.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		l.set(true)
		l.all.Wait()
	})
	return l
}

func (l *link) accept() {
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", l.target)
		if err != nil {
			_ = from.Close()
			continue
		}
		l.mu.Lock()
		if l.cut {
			_, _ = from.Close(), to.Close()
		} else {
			l.open[from], l.open[to] = true, true
			l.made.Add(1)
			l.all.Go(func() { l.pass(from, to) })
			l.all.Go(func() { l.pass(to, from) })
		}
		l.mu.Unlock()
	}
}

func (l *link) pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range []net.Conn{from, to} {
		_ = c.Close()
		delete(l.open, c)
	}
}

// set cuts every connection and lets none come about, or ends that.
func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	for c := range l.open {
		if cut {
			_ = c.Close()
		}
	}
}

// reconnecting is a node whose link is cut again and again.
type reconnecting struct {
	*Store
	link *link
	// last is the revision at which the node was told to look last.
	last atomic.Int64
}

func newReconnecting(t *testing.T, endpoint, prefix string) *reconnecting {
	t.Helper()
	copied, err := badger.Open(t.TempDir(), badger.Options{NoSync: true, WatermarkBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	n := &reconnecting{link: newLink(t, endpoint)}
	if n.Store, err = Open(copied, Options{Endpoints: []string{"http://" + n.link.listener.Addr().String()}, Prefix: prefix}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		n.Run(ctx, func(ctx context.Context) error {
			head, err := n.Head(ctx)
			if before := n.last.Swap(head.Revision); before > head.Revision {
				t.Errorf("the node went back from revision %d to %d", before, head.Revision)
			}
			return err
		})
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// follows waits until the node follows to a revision by itself.
func (n *reconnecting) follows(t *testing.T, revision int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for n.last.Load() < revision || !n.Status().Connected {
		select {
		case <-pause.C:
		case <-ctx.Done():
			t.Fatalf("the node is at %+v, want revision %d", n.Status(), revision)
		}
	}
}

// TestReconnects cuts nodes off while others change the catalogue, etcd is compacted and now and then old revisions
// are removed: each node that comes back has every revision that etcd still has, and never goes back.
// GEC_TEST_RECONNECTS sets how often nodes come back, in all (spec 7, row 12).
func TestReconnects(t *testing.T) {
	const pruneEvery = 7
	nodes, reconnects := 4, 16
	if text := os.Getenv("GEC_TEST_RECONNECTS"); text != "" {
		var err error
		if reconnects, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		nodes = 8
	}
	endpoint, prefix := server(t), newPrefix()
	writer := open(t, endpoint, prefix)
	all := make([]*reconnecting, nodes)
	for i := range all {
		all[i] = newReconnecting(t, endpoint, prefix)
	}
	grow(t, writer, 3)
	head := reached(t, writer, 3)
	var came, taken int64
	for round := 1; came < int64(reconnects); round++ {
		made := make([]int64, nodes)
		for i, n := range all {
			n.follows(t, head.Revision)
			n.link.set(true)
			made[i] = n.link.made.Load()
		}
		before := head.Revision
		grow(t, writer, int64(1+round%5))
		head = reached(t, writer, before+1)
		oldest := before + 1
		if round%pruneEvery == 0 {
			prune(t, writer, head.Revision)
			oldest = head.Revision
		}
		compact(t, writer)
		for _, n := range all {
			n.link.set(false)
		}
		for i, n := range all {
			n.follows(t, head.Revision)
			if n.link.made.Load() == made[i] {
				t.Error("a node follows without a connection")
			}
			came++
			for revision := oldest; revision <= head.Revision; revision++ {
				want, err := writer.Record(t.Context(), revision)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := n.Record(t.Context(), revision); err != nil || got != want {
					t.Errorf("round %d, revision %d: %+v, %v, want %+v", round, revision, got, err, want)
				}
				taken++
			}
		}
	}
	for _, n := range all {
		sameCatalogue(t, writer, n.Store)
	}
	t.Logf("%d reconnects of %d nodes, revision %d; %d revisions taken after one, 0 missed", came, nodes, head.Revision, taken)
}

// compact makes etcd forget every version but the last of each key.
func compact(t *testing.T, s *Store) {
	t.Helper()
	answer, err := s.client.Get(t.Context(), s.headKey())
	if err == nil {
		_, err = s.client.Compact(t.Context(), answer.Header.Revision, clientv3.WithCompactPhysical())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCompactedWhileFollowing compacts while nodes follow and change, without a cut.
func TestCompactedWhileFollowing(t *testing.T) {
	endpoint, prefix := server(t), newPrefix()
	one, two := open(t, endpoint, prefix), open(t, endpoint, prefix)
	for round := range 20 {
		writer := []*Store{one, two}[round%2]
		head := reached(t, writer, int64(round))
		mustCommit(t, writer, change(head.Revision, fmt.Sprint("thing-", round%3), "x"))
		compact(t, writer)
	}
	reached(t, one, 20)
	sameCatalogue(t, one, two)
}
