//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

// pinned is a quote whose answer is the same on every node, of every release: of a revision, an instant and a seed.
const pinned = `{"payment": {"paymentType": "CP", "touchpoint": "CHECKOUT", "notices": [{"amountCents": 5000}]},
	"revision": 1, "at": "2027-01-11T10:00:00Z", "seed": "7"}`

// receiptWanted is a quote with a receipt.
const receiptWanted = `{"payment": {"paymentType": "CP", "touchpoint": "CHECKOUT", "notices": [{"amountCents": 5000}]}, "wantReceipt": true}`

// roll restarts the nodes one after the other with another binary, while every other node is asked for one quote
// all the time: there is no error, and all answers are the same bytes. Each restart is followed by a change on the
// node, which every node must quote, of whatever release. Where the nodes began with another binary, one goes back
// to it, and on again.
func roll(ctx context.Context, l *lab, gec, previous string) error {
	first, err := l.pinned(ctx, 0)
	if err != nil {
		return err
	}
	asked := 0
	steps := []struct {
		node         int
		binary, name string
	}{{0, gec, "ROLL-0"}, {1, gec, "ROLL-1"}, {2, gec, "ROLL-2"}}
	if previous != gec {
		steps = append(steps, steps[0], steps[0])
		steps[3].binary, steps[3].name, steps[4].name = previous, "BACK", "AGAIN"
	}
	for _, step := range steps {
		n, err := l.rollOne(ctx, step.node, step.binary, first)
		asked += n
		if err != nil {
			return fmt.Errorf("step %s: %w", step.name, err)
		}
		if step.binary == gec {
			// The first brings a key into the catalogue, of a kind that a release before receipts does not know.
			if status, _, body, err := l.call(ctx, step.node, http.MethodPost, "/gec/v1/quote", receiptWanted, 0, 5*time.Second); err != nil || status != http.StatusOK || !bytes.Contains(body, []byte(`"receipt":"`)) {
				return fmt.Errorf("after step %s: a receipt: status %d, %w: %.300s", step.name, status, err, body)
			}
		}
		revision, err := l.add(ctx, step.node, step.name)
		if err == nil {
			err = l.everywhere(ctx, revision)
		}
		if err != nil {
			return fmt.Errorf("after step %s: %w", step.name, err)
		}
	}
	fmt.Printf("the nodes were restarted one after the other: %d quotes, no error, all byte-equal\n", asked)
	if previous != gec {
		fmt.Println("node 0 went back to the previous binary and on again")
	}
	return nil
}

// rollOne restarts a node with a binary and returns how many quotes were asked meanwhile, all with the answer wanted.
func (l *lab) rollOne(ctx context.Context, n int, binary, want string) (asked int, err error) {
	restarted := make(chan error, 1)
	go func() {
		l.nodes[n].end(syscall.SIGTERM)
		l.nodes[n].args[0] = binary
		err := l.nodes[n].start()
		if err == nil {
			err = l.awaitNode(ctx, n)
		}
		restarted <- err
	}()
	for done := false; !done; {
		select {
		case err := <-restarted:
			if err != nil {
				return asked, err
			}
			done = true
		default:
		}
		for other := range size {
			if other == n && !done {
				continue
			}
			got, err := l.pinned(ctx, other)
			if err != nil {
				return asked, fmt.Errorf("node %d while node %d restarts: %w", other, n, err)
			}
			if got != want {
				return asked, fmt.Errorf("node %d answers %s, node 0 answered %s", other, got, want)
			}
			asked++
		}
	}
	return asked, nil
}

func (l *lab) pinned(ctx context.Context, n int) (string, error) {
	status, _, body, err := l.call(ctx, n, http.MethodPost, "/gec/v1/quote", pinned, 0, 5*time.Second)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	return string(body), err
}
