//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The goals of how fast changes spread.
const (
	changeGoal = time.Second
	uploadGoal = 5 * time.Second
	uploadRows = 10_000
)

// spread measures how long it takes from the sending of a change on one node until each node quotes on it, and
// what a quote costs.
func spread(ctx context.Context, l *lab, changes int) error {
	taken := make([]time.Duration, 0, changes)
	for i := range changes {
		started := time.Now()
		revision, err := l.add(ctx, i%size, fmt.Sprintf("B-%d", i%50)+strings.Repeat("X", i/50%20)+fmt.Sprint(i))
		if err != nil {
			return err
		}
		if err := l.everywhere(ctx, revision); err != nil {
			return err
		}
		taken = append(taken, time.Since(started))
	}
	slices.Sort(taken)
	p99 := taken[len(taken)*99/100]
	fmt.Printf("a change is quoted on all %d nodes: p50 %s, p99 %s, worst %s of %d (goal: p99 %s)\n",
		size, round(taken[len(taken)/2]), round(p99), round(taken[len(taken)-1]), len(taken), changeGoal)

	started := time.Now()
	status, revision, body, err := l.call(ctx, 0, http.MethodPost, "/configuration/bundles/add", upload(), 0, time.Minute)
	if err != nil || status != http.StatusCreated {
		return fmt.Errorf("the upload: status %d, %w: %.300s", status, err, body)
	}
	if err := l.everywhere(ctx, revision); err != nil {
		return err
	}
	took := time.Since(started)
	fmt.Printf("an upload of %d bundles is quoted on all nodes after %s (goal: %s)\n", uploadRows, round(took), uploadGoal)
	if p99 > changeGoal || took > uploadGoal {
		return fmt.Errorf("a goal was missed")
	}
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// everywhere returns once every node quotes on the revision or a later one.
func (l *lab) everywhere(ctx context.Context, revision int64) error {
	var all sync.WaitGroup
	errs := make([]error, size)
	for n := range size {
		all.Go(func() { errs[n] = l.reaches(ctx, n, revision) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// reaches returns once a node quotes on the revision or a later one.
func (l *lab) reaches(ctx context.Context, n int, revision int64) (err error) {
	for range 40 { // a "not yet" takes half a second
		var got int64
		if got, err = l.quote(ctx, n, revision, 10*time.Second); err == nil && got >= revision || ctx.Err() != nil {
			break
		}
	}
	return err
}

// upload returns a list of bundles as the test endpoints take them.
func upload() string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range uploadRows {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"upload-%05d","idPsp":"PSP%04d","name":"upload %d","type":"GLOBAL","paymentType":"CP","touchpoint":"CHECKOUT",`+
			`"minPaymentAmount":0,"maxPaymentAmount":100000,"paymentAmount":%d,"validityDateFrom":"2024-01-01","idChannel":"c","idBrokerPsp":"b","abi":"%05d"}`,
			i, i%400, i, 50+i%200, i%400)
	}
	b.WriteByte(']')
	return b.String()
}
