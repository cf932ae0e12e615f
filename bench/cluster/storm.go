//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// The goals of a storm.
const (
	// healGoal is how long after healing it may take until a change is quoted on every node, and the catalogues
	// are equal.
	healGoal = 5 * time.Second
	// healMax is how long is waited for that; the storm goes on after a healing that missed the goal, and fails at
	// its end.
	healMax = time.Minute
	// writesGoal is how many changes a second are tried at the least, over the whole storm (spec 7, row 11).
	writesGoal = 50
)

// stormFlags lets whoever asks read the hashes of revisions, and nodes turn no calls away, which is not what is tried.
func stormFlags() []string { return []string{"--authoring-without-keys", "--overload-wait", "10s"} }

// storm runs random schedules of faults while clients write and quote, heals after each, holds the catalogues of the
// nodes to be equal, and at the end holds what the clients saw against what the nodes have. The schedules follow
// from the seed; how the processes answer to them does not. Interrupted, it ends after the schedule under way, and
// is judged as far as it went. Only where it is timed does it fail because a goal of time was missed: a machine that has
// other things to do misses those.
func storm(interrupted context.Context, l *lab, schedules int, seed uint64, timed bool, say func(string)) error {
	ctx := context.WithoutCancel(interrupted)
	random := rand.New(rand.NewPCG(seed, 0))
	say(fmt.Sprintf("seed %d, %d schedules", seed, schedules))
	w := &witness{started: time.Now()}
	if err := w.prepare(ctx, l); err != nil {
		return err
	}
	end := w.work(ctx, l, seed)
	err := func() error {
		for s := range schedules {
			if interrupted.Err() != nil {
				say(fmt.Sprintf("interrupted after %d schedules", s))
				return nil
			}
			faults := plan(l, random)
			if s%outageEach == outageEach/2 {
				faults = outage(l)
			}
			if err := w.run(ctx, faults); err != nil {
				return fmt.Errorf("schedule %d (%s): %w", s, names(faults), err)
			}
			took, err := w.heal(ctx, l, s)
			if err != nil {
				return fmt.Errorf("schedule %d (%s): %w", s, names(faults), err)
			}
			if took > healGoal {
				w.late++
			}
			if took > healGoal && timed {
				w.fault("schedule %d (%s): together again after %s, not within %s", s, names(faults), took.Round(time.Millisecond), healGoal)
			}
			say(fmt.Sprintf("schedule %3d: %s; together again after %s", s, names(faults), took.Round(time.Millisecond)))
		}
		return nil
	}()
	end()
	if err == nil {
		err = w.cut(ctx, l) // with the calls since the last
	}
	if err != nil {
		return errors.Join(append(w.faults, err)...)
	}
	if err := l.same(ctx, http.MethodGet, "/gec/v1/open-data/fee-list.json", ""); err != nil {
		return err
	}
	return w.judge(ctx, l, timed, say)
}

// prepare registers what the bundles of the storm are for, and makes the first.
func (w *witness) prepare(ctx context.Context, l *lab) error {
	for _, registry := range []string{"touchpoint", "paymenttypes"} {
		if _, err := l.post(ctx, 0, "/configuration/"+registry+"/add", `[{"name":"STORM"}]`); err != nil {
			return err
		}
	}
	revision, err := l.post(ctx, 0, "/configuration/bundles/add", stormBundle(w.names.Add(1)))
	if err != nil {
		return err
	}
	if _, err := l.equalAll(ctx, revision); err != nil {
		return err
	}
	return w.cut(ctx, l)
}

// heal returns how long it took, after the end of all faults, until a new change is quoted on every node and the
// catalogues are equal, while clients go on; then it lets them pause, and all that the nodes have must be equal.
func (w *witness) heal(ctx context.Context, l *lab, schedule int) (time.Duration, error) {
	started := time.Now()
	limited, cancel := context.WithTimeout(ctx, healMax)
	defer cancel()
	revision, err := w.together(limited, l, schedule%size)
	if err == nil {
		_, err = l.equalAll(limited, revision)
	}
	if err != nil {
		return 0, fmt.Errorf("not together %s after healing: %w", healMax, err)
	}
	took := time.Since(started)
	w.worst = max(w.worst, took)
	return took, w.cut(ctx, l)
}

// together makes a change on a node and returns its revision.
func (w *witness) together(ctx context.Context, l *lab, n int) (int64, error) {
	for {
		c := w.write(ctx, l, n)
		if c.acked {
			return c.told, nil
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("node %d takes no change: %w", n, c.err)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// cut ends an epoch of the history: it waits for the calls under way while no others begin, and holds all nodes to
// the same catalogue, as they have it stored and as they quote on it.
func (w *witness) cut(ctx context.Context, l *lab) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	ended := w.now()
	for tried := time.Now(); ; {
		// A change whose client gave up may become current still.
		head, err := l.equal(ctx, healMax)
		if err == nil {
			_, err = l.equalAll(ctx, head)
		}
		if err == nil { // the names as they are in memory
			err = l.same(ctx, http.MethodGet, "/gec/v1/catalogue", "")
		}
		if err == nil { // the bundles as they are in memory
			err = l.same(ctx, http.MethodPost, "/gec/v1/quote", `{`+stormPayment+`, "at": "2027-01-11T10:00:00Z", "seed": "7", "maxOccurrences": 100}`)
		}
		if err == nil {
			w.epochs = append(w.epochs, epoch{ended: ended, head: head})
			return nil
		}
		if ctx.Err() != nil || time.Since(tried) > healMax {
			return err
		}
	}
}

// equalAll holds that every node quotes on a revision or a later one, and has the same history up to it, and
// returns its hash.
func (l *lab) equalAll(ctx context.Context, revision int64) (hash string, err error) {
	for n := range size {
		got, err := l.equalAt(ctx, n, revision)
		if err != nil {
			return "", fmt.Errorf("node %d at revision %d: %w", n, revision, err)
		}
		if n == 0 {
			hash = got
		} else if got != hash {
			return "", fmt.Errorf("the catalogue of node %d at revision %d is %s, that of node 0 %s", n, revision, got, hash)
		}
	}
	return hash, nil
}

// equalAt returns the hash of the history of a node up to a revision, once it quotes on that or a later one.
func (l *lab) equalAt(ctx context.Context, n int, revision int64) (string, error) {
	if err := l.reaches(ctx, n, revision); err != nil {
		return "", err
	}
	status, _, body, err := l.call(ctx, n, http.MethodGet, fmt.Sprintf("/gec/v1/revisions?from=%d&to=%[1]d", revision), "", 0, callTimeout)
	if err != nil || status != http.StatusOK {
		return "", fmt.Errorf("its revisions: status %d, %w: %.300s", status, err, body)
	}
	var answer struct {
		Revisions []struct {
			Revision      int64
			HistorySHA256 string `json:"historySha256"`
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", err
	}
	if len(answer.Revisions) != 1 || answer.Revisions[0].Revision != revision || len(answer.Revisions[0].HistorySHA256) != 2*sha256.Size {
		return "", fmt.Errorf("the revision is told as %s", body)
	}
	return answer.Revisions[0].HistorySHA256, nil
}

// same holds that all nodes answer with the same bytes. Nobody may be writing.
func (l *lab) same(ctx context.Context, method, path, body string) error {
	var first []byte
	for n := range size {
		status, _, got, err := l.call(ctx, n, method, path, body, 0, 10*time.Second)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("node %d: %s: status %d, %w: %.300s", n, path, status, err, got)
		}
		if n == 0 {
			first = got
		} else if !bytes.Equal(got, first) {
			return fmt.Errorf("node %d answers %s otherwise than node 0: SHA-256 %x and %x", n, path, sha256.Sum256(got), sha256.Sum256(first))
		}
	}
	return nil
}

// judge stops the nodes and compares their folders with one another and with what the clients saw.
func (w *witness) judge(ctx context.Context, l *lab, timed bool, say func(string)) error {
	for _, node := range l.nodes {
		node.end(syscall.SIGTERM)
	}
	var first stored
	for n := range size {
		s, err := readStored(l.folder(n))
		if err != nil {
			return fmt.Errorf("node %d: %w", n, err)
		}
		if n == 0 {
			first = s
		} else if s.head != first.head || s.rows != first.rows {
			w.fault("node %d ends at %+v with rows %x, node 0 at %+v with rows %x", n, s.head, s.rows, first.head, first.rows)
		}
		if out, err := exec.CommandContext(ctx, l.nodes[n].args[0], "verify", "--data", l.folder(n)).CombinedOutput(); err != nil {
			w.fault("gec verify of node %d: %w: %s", n, err, out)
		}
	}
	acked, lost, unknown, refused := w.hold(first)
	w.linearizable(first)
	tried := len(w.changes)
	rate := float64(tried) / (time.Duration(w.epochs[len(w.epochs)-1].ended - w.epochs[0].ended)).Seconds()
	say(fmt.Sprintf("%d changes tried, %.1f a second: %d acknowledged, %d of them lost, %d without an answer, %d refused", tried, rate, acked, lost, unknown, refused))
	say(fmt.Sprintf("%d quotes: %d answered, %d passed on by a node that was down, %d 'not yet'; %d failed on a node that was up, %d on every node",
		w.asked.Load(), w.answered.Load(), w.passed.Load(), w.notYet.Load(), w.failed.Load(), w.failedAll.Load()))
	say(fmt.Sprintf("revision %d on all nodes; together and equal again after %s at worst, %d times later than %s", first.head.Revision, w.worst.Round(time.Millisecond), w.late, healGoal))
	if rate < writesGoal && timed {
		w.fault("%.1f changes a second were tried, %d are asked for", rate, writesGoal)
	}
	return errors.Join(w.faults...)
}

// equal returns the revision that every node is at, once all are connected and at one; nobody may be writing.
func (l *lab) equal(ctx context.Context, limit time.Duration) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last string
	for ctx.Err() == nil {
		var all [size]health
		var failed error
		for n := range size {
			var err error
			all[n], err = l.health(ctx, n)
			failed = errors.Join(failed, err)
		}
		apart := slices.ContainsFunc(all[:], func(h health) bool { return h.Connected != "true" || h.Revision != all[0].Revision })
		if failed == nil && !apart {
			return strconv.ParseInt(all[0].Revision, 10, 64)
		}
		if ctx.Err() == nil {
			last = fmt.Sprintf("%+v %v", all, failed)
		}
		pause(ctx, 20*time.Millisecond)
	}
	return 0, fmt.Errorf("the nodes are not together after %s: %s", limit, last)
}
