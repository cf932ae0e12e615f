//go:build unix

package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gec/bench/service"
)

// cost compares what a quote takes on a node of the cluster with what it takes on a node by itself with the same
// catalogue, in rounds that take turns.
func cost(ctx context.Context, l *lab, gec string) error {
	copied := filepath.Join(l.dir, "alone")
	endpoint := "http://" + l.links[0][0].address()
	if out, err := exec.CommandContext(ctx, gec, "migrate", "--to", "badger", "--data", copied, "--etcd-endpoints", endpoint).CombinedOutput(); err != nil {
		return fmt.Errorf("gec migrate: %w: %s", err, out)
	}
	address, err := service.FreeAddress()
	if err != nil {
		return err
	}
	alone, err := l.process("alone", gec, "serve", "--data", copied, "--http", address, "--grpc", "127.0.0.1:0", "--log-requests=false")
	if err != nil {
		return err
	}
	defer alone.log.Close()
	if err := alone.start(); err != nil {
		return err
	}
	defer alone.end(9)
	single := &lab{client: l.client, http: [size]string{address}, nodes: [size]*process{alone}}
	if err := single.awaitNode(ctx, 0); err != nil {
		return err
	}
	const rounds = 11
	var shares []float64
	for range rounds {
		of, err := l.rate(ctx)
		if err != nil {
			return err
		}
		than, err := single.rate(ctx)
		if err != nil {
			return err
		}
		shares = append(shares, of/than)
	}
	slices.Sort(shares)
	fmt.Printf("quotes a second with --store etcd over those with Badger alone: %.3f (median of %d rounds, %.3f to %.3f)\n",
		shares[rounds/2], rounds, shares[0], shares[rounds-1])
	return nil
}

// rate returns the quotes a second of node 0 over half a second, with four callers.
func (l *lab) rate(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		count   atomic.Int64
		callers sync.WaitGroup
		failed  atomic.Pointer[error]
		started = time.Now()
	)
	for range 4 {
		callers.Go(func() {
			for time.Since(started) < time.Second/2 {
				if _, err := l.quote(ctx, 0, 0, 5*time.Second); err != nil {
					failed.Store(&err)
					return
				}
				count.Add(1)
			}
		})
	}
	callers.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(count.Load()) / time.Since(started).Seconds(), nil
}
