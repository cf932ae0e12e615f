package bundles

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"gec/engine"
)

// batchRows is the number of rows that are decoded in one go.
const batchRows = 256

// batch is a part of a scan on its way through decoding.
type batch[T any] struct {
	rows []Row
	// documents holds those of the rows one after the other; ends says where each ends.
	documents []byte
	ends      []int
	decoded   []T
	err       error
}

func (b *batch[T]) add(r Row) {
	b.documents = append(b.documents, r.Document...)
	b.ends = append(b.ends, len(b.documents))
	b.rows = append(b.rows, r)
}

func (b *batch[T]) decode(decode func(Row) (T, error)) {
	b.decoded = make([]T, 0, len(b.rows))
	start := 0
	for i, row := range b.rows {
		row.Document = b.documents[start:b.ends[i]]
		start = b.ends[i]
		value, err := decode(row)
		if err != nil {
			b.err = err
			return
		}
		b.decoded = append(b.decoded, value)
	}
	b.rows, b.documents, b.ends = nil, nil, nil
}

// scanAll decodes all things of a kind, as they stood at a revision, in order of id, on all processors.
// decode is called by several goroutines at once and must not keep the row's document.
func scanAll[T any](ctx context.Context, store Store, at int64, kind Kind, decode func(Row) (T, error)) ([]T, error) {
	var (
		workers sync.WaitGroup
		work    = make(chan *batch[T], 2*runtime.GOMAXPROCS(0))
		batches []*batch[T]
	)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for b := range work {
				b.decode(decode)
			}
		})
	}
	filling := &batch[T]{}
	send := func() {
		batches = append(batches, filling)
		work <- filling
		filling = &batch[T]{}
	}
	err := store.Scan(ctx, at, kind, "", func(r Row) error {
		if filling.add(r); len(filling.rows) == batchRows {
			send()
		}
		return nil
	})
	send()
	close(work)
	workers.Wait()
	if err != nil {
		return nil, err
	}
	total := 0
	for _, b := range batches {
		if b.err != nil {
			return nil, b.err
		}
		total += len(b.decoded)
	}
	all := make([]T, 0, total)
	for _, b := range batches {
		all = append(all, b.decoded...)
	}
	return all, nil
}

// decodeBundleRow returns a stored bundle with its revision.
func decodeBundleRow(r Row) (Bundle, error) {
	b, err := DecodeBundle(r.Document)
	b.Revision = r.Revision
	return b, err
}

// decodeEngineBundle returns the part of a stored bundle that quotes are made of.
func decodeEngineBundle(r Row) (*engine.Bundle, error) {
	b, err := DecodeBundle(r.Document)
	if err != nil {
		return nil, err
	}
	return engineBundle(&b), nil
}

// engineBundle copies that part, so that the rest can be collected.
func engineBundle(b *Bundle) *engine.Bundle {
	part := b.Bundle
	return &part
}

func decodeSubscriptionRow(r Row) (Subscription, error) {
	s, err := DecodeSubscription(r.Document)
	s.Revision = r.Revision
	return s, err
}

// loadSettings returns the settings at a revision, with the issuers in order of their ranges; the zero
// Settings where there never were any.
func loadSettings(ctx context.Context, store Store, at int64) (s engine.Settings, err error) {
	row, err := store.Get(ctx, at, KindSettings, settingsRowID)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return s, err
	default:
		if s, err = DecodeSettings(row.Document); err != nil {
			return s, err
		}
	}
	s.Issuers, err = scanAll(ctx, store, at, KindIssuer, func(r Row) (engine.IssuerRange, error) { return DecodeIssuer(r.Document) })
	return s, err
}

// loadECs returns the tax codes that have any subscription at a revision.
func loadECs(ctx context.Context, store Store, at int64) (ecs []string, err error) {
	last, prefix := "", ""
	err = store.ScanIDs(ctx, at, KindSubscription, "", func(id string) error {
		if prefix != "" && len(id) >= len(prefix) && id[:len(prefix)] == prefix {
			return nil
		}
		ec, _, err := splitSubscriptionRowID(id)
		if err != nil {
			return err
		}
		if last, prefix = ec, subscriptionPrefix(ec); len(ecs) == 0 || ecs[len(ecs)-1] != last {
			ecs = append(ecs, last)
		}
		return nil
	})
	return ecs, err
}

// loadSource reads everything that the snapshot of a revision is made of.
func loadSource(ctx context.Context, store Store, at int64) (src engine.Source, err error) {
	src.Revision = at
	if src.Settings, err = loadSettings(ctx, store, at); err != nil {
		return src, err
	}
	if src.Bundles, err = scanAll(ctx, store, at, KindBundle, decodeEngineBundle); err != nil {
		return src, err
	}
	src.ECs, err = loadECs(ctx, store, at)
	return src, err
}

// cloneSettings returns a copy that shares nothing with s.
func cloneSettings(s *engine.Settings) *engine.Settings {
	c := *s
	c.BlockedPSPs = slices.Clone(s.BlockedPSPs)
	c.Touchpoints = slices.Clone(s.Touchpoints)
	c.PaymentTypes = slices.Clone(s.PaymentTypes)
	c.Issuers = slices.Clone(s.Issuers)
	return &c
}
