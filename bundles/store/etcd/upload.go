package etcd

import (
	"context"
	"errors"
	"fmt"

	"gec/bundles"
)

// Upload puts the revisions of the copy that etcd lacks into etcd, each with the record and the hash that it has,
// and calls progress after each. It is how a catalogue moves from the folder of one node to a cluster. What etcd
// has must be the beginning of the copy's history. Errors: *DivergedError, ErrConflict when somebody else
// writes meanwhile, *bundles.GapError where the copy lacks a revision that etcd lacks too, those of Commit.
func (s *Store) Upload(ctx context.Context, progress func(revision int64)) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	base, err := s.fetchHead(ctx)
	if err != nil {
		return err
	}
	mine, err := s.Store.Head(ctx)
	if err != nil {
		return err
	}
	if base.revision > 0 {
		there, err := s.Record(ctx, base.revision)
		if errors.Is(err, bundles.ErrNotFound) {
			return &DivergedError{Revision: base.revision, Reason: "etcd has revisions that the folder lacks"}
		}
		if err != nil {
			return err
		}
		if there.SHA256 != base.sha256 {
			return &DivergedError{Revision: base.revision, Reason: "the hashes of the records differ"}
		}
	}
	if g, ok := s.Store.(bundles.Gapped); ok {
		if err := g.Gap(base.revision); err != nil {
			return err // before anything is in etcd that nobody could go on from
		}
	}
	for revision := base.revision + 1; revision <= mine.Revision; revision++ {
		if err := s.uploadOne(ctx, revision); err != nil {
			return fmt.Errorf("revision %d: %w", revision, err)
		}
		progress(revision)
	}
	return nil
}

func (s *Store) uploadOne(ctx context.Context, revision int64) error {
	var before bundles.Record
	record, err := s.Record(ctx, revision)
	if err == nil && revision > 1 {
		before, err = s.Record(ctx, revision-1)
	}
	if err != nil {
		return err
	}
	var rows []bundles.Row
	err = s.Changes(ctx, revision-1, revision, func(r bundles.Row) error {
		r.Document = append([]byte(nil), r.Document...)
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		return err
	}
	return s.store(ctx, before, entry{Record: record, attempt: newAttempt()}, rows)
}
