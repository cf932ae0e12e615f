//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"
)

// tour shows what a cluster is for: write on one node, quote on another, kill one, go on.
func tour(ctx context.Context, l *lab) error {
	say := func(format string, values ...any) { fmt.Printf(format+"\n", values...) }
	say("three members of etcd and three nodes are up: %v", l.http)
	revision, err := l.add(ctx, 0, "TOUR-1")
	if err != nil {
		return err
	}
	say("node 0 took a change: revision %d", revision)
	for n := range size {
		got, err := l.quote(ctx, n, revision, 2*time.Second)
		if err != nil {
			return err
		}
		say("node %d quotes on revision %d (asked for %d or later)", n, got, revision)
	}
	l.nodes[0].end(syscall.SIGKILL)
	l.members[0].end(syscall.SIGKILL)
	say("node 0 and member 0 are killed")
	started := time.Now()
	for try := 0; ; try++ {
		if revision, err = l.add(ctx, 1, fmt.Sprintf("TOUR-2-%d", try)); err == nil {
			break
		}
		if time.Since(started) > 20*time.Second {
			return err
		}
		pause(ctx, 100*time.Millisecond)
	}
	say("node 1 took a change %s later: revision %d", time.Since(started).Round(time.Millisecond), revision)
	got, err := l.quote(ctx, 2, revision, 2*time.Second)
	if err != nil {
		return err
	}
	say("node 2 quotes on revision %d", got)
	l.members[1].end(syscall.SIGKILL)
	say("member 1 is killed: etcd has no quorum")
	started = time.Now()
	if _, err = l.add(ctx, 1, "TOUR-3"); err == nil {
		return fmt.Errorf("a change was taken without a quorum")
	}
	say("node 1 refuses a change after %s: %v", time.Since(started).Round(time.Millisecond), err)
	if got, err = l.quote(ctx, 1, 0, 2*time.Second); err != nil {
		return err
	}
	say("node 1 quotes on revision %d all the same", got)
	for _, p := range []*process{l.members[0], l.members[1], l.nodes[0]} {
		if err := p.start(); err != nil {
			return err
		}
	}
	if err := l.awaitNode(ctx, 0); err != nil {
		return err
	}
	say("all are started again")
	if _, err := l.equal(ctx, 20*time.Second); err != nil {
		return err
	}
	say("all nodes are at one revision")
	fmt.Fprintln(os.Stderr, "the tour is over; everything that was started is ended")
	return nil
}
