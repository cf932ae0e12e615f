//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"time"
)

// tour shows what a cluster is for: write on one node, quote on another, kill some, go on.
func tour(ctx context.Context, l *lab) error {
	fmt.Printf("Three members of etcd and three nodes of gec are up, on this machine only; the nodes are\n")
	for n, address := range l.http {
		fmt.Printf("  node %d  http://%s\n", n, address)
	}
	for i, step := range []struct {
		title string
		show  func(context.Context, *lab) error
	}{
		{"A change on one node is quoted on all", tourSpread},
		{"A node and a member of etcd are killed: changes and quotes go on", tourOneDown},
		{"Another member is killed, so that etcd has no quorum: quotes go on, changes are refused", tourNoQuorum},
		{"All are started again: the nodes are equal", tourAgain},
	} {
		fmt.Printf("\n%d. %s\n", i+1, step.title)
		if err := step.show(ctx, l); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	fmt.Println("\nThe tour is over; everything that was started is ended.")
	return nil
}

func say(format string, values ...any) { fmt.Printf("   "+format+"\n", values...) }

// since returns how long ago an instant was, as it is shown.
func since(started time.Time) time.Duration { return time.Since(started).Round(time.Millisecond) }

func tourSpread(ctx context.Context, l *lab) error {
	revision, err := l.add(ctx, 0, "TOUR-1")
	if err != nil {
		return err
	}
	say("node 0 stored the touchpoint TOUR-1 as revision %d", revision)
	for n := range size {
		got, err := l.quote(ctx, n, revision, callTimeout)
		if err != nil {
			return err
		}
		say("node %d, asked with X-Catalogue-Revision: %d, quotes on revision %d", n, revision, got)
	}
	return nil
}

func tourOneDown(ctx context.Context, l *lab) error {
	l.nodes[0].end(syscall.SIGKILL)
	l.members[0].end(syscall.SIGKILL)
	say("node 0 and member 0 got SIGKILL")
	started := time.Now()
	var revision int64
	for try := 0; ; try++ {
		var err error
		if revision, err = l.add(ctx, 1, fmt.Sprintf("TOUR-2-%d", try)); err == nil {
			break
		}
		if time.Since(started) > 20*time.Second {
			return err
		}
		pause(ctx, 100*time.Millisecond)
	}
	say("node 1 stored a change as revision %d, %s after", revision, since(started))
	got, err := l.quote(ctx, 2, revision, callTimeout)
	if err == nil {
		say("node 2, asked for revision %d, quotes on %d", revision, got)
	}
	return err
}

func tourNoQuorum(ctx context.Context, l *lab) error {
	l.members[1].end(syscall.SIGKILL)
	say("member 1 got SIGKILL: one of three is left")
	for _, name := range []string{tourOpen, "TOUR-4"} {
		started := time.Now()
		_, err := l.add(ctx, 1, name)
		switch {
		case err == nil:
			return errors.New("a change was taken without a quorum")
		case errors.Is(err, errRefused):
			say("node 1 refused the change %s after %s: it is certain that nothing was stored", name, since(started))
		default:
			say("node 1 answered 503 to the change %s after %s: etcd left it open whether it was stored", name, since(started))
		}
	}
	got, err := l.quote(ctx, 1, 0, callTimeout)
	if err != nil {
		return err
	}
	h, err := l.health(ctx, 1)
	if err == nil {
		say("node 1 quotes on revision %d all the same; its readiness: connected %s, ageSeconds %s", got, h.Connected, h.AgeSeconds)
	}
	return err
}

// tourOpen is the change that etcd is asked for at the moment when it has lost its quorum.
const tourOpen = "TOUR-3"

func tourAgain(ctx context.Context, l *lab) error {
	started := time.Now()
	for _, p := range []*process{l.members[0], l.members[1], l.nodes[0]} {
		if err := p.start(); err != nil {
			return err
		}
	}
	if err := l.awaitNode(ctx, 0); err != nil {
		return err
	}
	if _, err := l.equal(ctx, healMax); err != nil {
		return err
	}
	made, err := l.add(ctx, 0, "TOUR-5")
	if err != nil {
		return err
	}
	say("node 0 stored a change as revision %d, %s after", made, since(started))
	revision, err := l.equal(ctx, healMax)
	if err != nil {
		return err
	}
	hash, err := l.equalAll(ctx, revision)
	if err != nil {
		return err
	}
	say("all nodes are at revision %d, with the history %s", revision, hash)
	status, _, body, err := l.call(ctx, 0, http.MethodGet, "/gec/v1/catalogue", "", 0, callTimeout)
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("the catalogue of node 0: status %d, %w", status, err)
	}
	var catalogue struct{ Touchpoints []string }
	if err := json.Unmarshal(body, &catalogue); err != nil {
		return err
	}
	if slices.Contains(catalogue.Touchpoints, tourOpen) {
		say("%s is among the touchpoints: it was stored", tourOpen)
	} else {
		say("%s is not among the touchpoints: it was not stored, and with another change after it it never will be", tourOpen)
	}
	return nil
}
