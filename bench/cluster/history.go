//go:build unix

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"gec/bundles"
	"gec/bundles/store/badger"
)

// stored is what a folder has: its last record, the SHA-256 of all its rows of all revisions, the revision that
// brought each change, and of each revision the bundle of the storm that a quote on it must show.
type stored struct {
	head      bundles.Record
	rows      [sha256.Size]byte
	revisions map[string]int64
	cheapest  []string
}

func readStored(dir string) (s stored, err error) {
	ctx := context.Background()
	store, err := badger.Open(dir, badger.Options{VerifyRows: -1, WatermarkBytes: 1 << 20})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s.revisions = map[string]int64{}
	if s.head, err = store.Head(ctx); err != nil {
		return s, err
	}
	s.cheapest = make([]string, s.head.Revision+1)
	all := sha256.New()
	err = store.Changes(ctx, 0, s.head.Revision, func(r bundles.Row) error {
		// Every part with its length before it, so that no two histories are written alike.
		row := binary.AppendUvarint([]byte{byte(r.Kind)}, uint64(r.Revision))
		for _, part := range []string{r.ID, fmt.Sprint(r.Deleted), string(r.Document)} {
			row = append(binary.AppendUvarint(row, uint64(len(part))), part...)
		}
		all.Write(row)
		id := strings.ToLower(r.ID)
		if s.revisions[id] == 0 && (r.Kind == bundles.KindTouchpoint || r.Kind == bundles.KindBundle) {
			s.revisions[id] = r.Revision
			if r.Kind == bundles.KindBundle && strings.HasPrefix(id, "storm-") {
				s.cheapest[r.Revision] = max(s.cheapest[r.Revision], id)
			}
		}
		return nil
	})
	for revision := 1; revision < len(s.cheapest); revision++ {
		s.cheapest[revision] = max(s.cheapest[revision], s.cheapest[revision-1])
	}
	all.Sum(s.rows[:0])
	return s, err
}

// of returns the revision that brought a change, 0 for none.
func (s *stored) of(c change) int64 {
	if c.number%touchpointEach == 0 {
		return s.revisions[strings.ToLower(touchpointName(c.number))]
	}
	return s.revisions[bundleName(c.number)]
}

// hold holds every call by itself against what is stored.
func (w *witness) hold(s stored) (acked, lost, unknown, refused int) {
	for _, c := range w.changes {
		revision := s.of(c)
		switch {
		case c.acked:
			acked++
			if revision == 0 {
				lost++
				w.fault("the acknowledged change %d is lost", c.number)
			} else if c.told < revision {
				w.fault("the change %d is in revision %d and was told to be in %d", c.number, revision, c.told)
			}
		case c.refused:
			refused++
			if revision != 0 {
				w.fault("the change %d was refused and is in revision %d: %w", c.number, revision, c.err)
			}
		default:
			unknown++
		}
	}
	for _, r := range w.readings {
		if r.told < 1 || r.told >= int64(len(s.cheapest)) {
			w.fault("node %d quoted on revision %d of %d", r.node, r.told, len(s.cheapest)-1)
		} else if want := s.cheapest[r.told]; r.bundle != want {
			w.fault("node %d quoted %s on revision %d, which has %s", r.node, r.bundle, r.told, want)
		}
	}
	return acked, lost, unknown, refused
}

// cluster is the state of the model: the catalogue's revision, the one of a node's copy, and how many answers the node
// has given.
type cluster struct {
	head, copied int64
	answers      int
}

// The inputs of the model. made is a change, whose output is the revision that it became. told is that a client got a
// revision from the node, as an answer to its change or with a quote, whose output it is; the client named one.
//
// place is that of the answer among the node's, in order of revision and then of call. In a history that the model
// accepts at all, it accepts the answers in that order; to be told it keeps the checker from trying every other order
// of the answers that were on their way at once while the node was stalled.
type (
	made struct{}
	told struct {
		named int64
		place int
	}
)

// model is that of the cluster as one node shows it: changes follow one another without a gap, the node's copy goes
// on and never back, it is never ahead of the catalogue, and who names a revision gets no earlier one. All begin at
// one revision.
func model(head int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return cluster{head, head, 0} },
		Step: func(state, input, output any) (bool, any) {
			s, revision := state.(cluster), output.(int64)
			if answer, ok := input.(told); ok {
				legal := answer.place == s.answers && revision >= answer.named && revision >= s.copied && revision <= s.head
				return legal, cluster{s.head, revision, s.answers + 1}
			}
			return revision == s.head+1, cluster{revision, s.copied, s.answers}
		},
	}
}

// check holds the history of an epoch, as one node shows it, against the model. Every answer gets its place.
func check(head int64, changes, answers []porcupine.Operation) porcupine.CheckResult {
	slices.SortFunc(answers, func(a, b porcupine.Operation) int {
		return cmp.Or(cmp.Compare(a.Output.(int64), b.Output.(int64)), cmp.Compare(a.Call, b.Call))
	})
	for place := range answers {
		answers[place].Input = told{answers[place].Input.(told).named, place}
	}
	return porcupine.CheckOperationsTimeout(model(head), slices.Concat(changes, answers), time.Minute)
}

// linearizable holds the history against the model with Porcupine: for each epoch and each node all changes, and
// what clients were told by that node. As the epochs begin and end with all nodes at one revision, and no call under
// way, that is as strong as to hold the whole history at once, whose cost grows with the square of its length.
func (w *witness) linearizable(s stored) {
	changes := make([][]porcupine.Operation, len(w.epochs))
	answers := make([][size][]porcupine.Operation, len(w.epochs))
	for _, c := range w.changes {
		revision, epoch := s.of(c), c.epoch
		if revision == 0 {
			continue
		}
		if !c.acked {
			// It may have become current later than its client waited.
			for epoch < len(w.epochs)-1 && w.epochs[epoch].head < revision {
				epoch++
			}
			c.called, c.ended = max(c.called, w.epochs[epoch-1].ended), w.epochs[epoch].ended
		}
		changes[epoch] = append(changes[epoch], porcupine.Operation{ClientId: c.node, Input: made{}, Call: c.called, Output: revision, Return: c.ended})
		if c.acked {
			answers[epoch][c.node] = append(answers[epoch][c.node], porcupine.Operation{ClientId: c.node, Input: told{}, Call: c.called, Output: c.told, Return: c.ended})
		}
	}
	for _, r := range w.readings {
		answers[r.epoch][r.node] = append(answers[r.epoch][r.node],
			porcupine.Operation{ClientId: size + r.node, Input: told{named: r.named}, Call: r.called, Output: r.told, Return: r.ended})
	}
	for epoch := 1; epoch < len(w.epochs); epoch++ {
		for n := range size {
			if result := check(w.epochs[epoch-1].head, changes[epoch], answers[epoch][n]); result != porcupine.Ok {
				w.fault("the history of node %d in schedule %d, of %d changes and %d answers, is not linearizable: %v",
					n, epoch-1, len(changes[epoch]), len(answers[epoch][n]), result)
			}
		}
	}
}
