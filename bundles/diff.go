package bundles

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-faster/jx"
)

// BundleDiff is what became of one bundle between two revisions (A8).
type BundleDiff struct {
	ID, PSP string
	// Before is nil where the bundle was not there yet, After where it is no more.
	Before, After *Bundle
	// Fields are those that differ, in order of name.
	Fields []FieldDiff
}

// FieldDiff is one field that differs, by its wire name, with its values as JSON; empty: the field was not
// there.
type FieldDiff struct{ Field, Before, After string }

// Diff returns what became of bundles from one revision to a later one, in order of id: all of them to the
// operator and auditors, to others those of PSPs that they act for. Bundles that were changed and changed
// back are left out. Errors: ErrNotFound for a revision that is not there; Faults when from is after to.
func (c *Catalogue) Diff(ctx context.Context, caller Caller, from, to int64) ([]BundleDiff, error) {
	if from > to {
		return nil, Faults{{Path: "from", Reason: fmt.Sprintf("is %d, after to, which is %d", from, to), Fix: "name the earlier revision first"}}
	}
	touched := map[string]bool{}
	err := c.store.Changes(ctx, from, to, func(r Row) error {
		if r.Kind == KindBundle {
			touched[strings.Clone(r.ID)] = true
		}
		return nil
	})
	diffs := []BundleDiff{}
	for _, id := range slices.Sorted(maps.Keys(touched)) {
		if err != nil {
			break
		}
		var d BundleDiff
		if d, err = c.diffOf(ctx, from, to, id); err != nil || len(d.Fields) == 0 || caller.MayReadPSP(d.PSP) != nil {
			continue
		}
		diffs = append(diffs, d)
	}
	if err != nil {
		return nil, fmt.Errorf("difference of revisions %d and %d: %w", from, to, err)
	}
	return diffs, nil
}

func (c *Catalogue) diffOf(ctx context.Context, from, to int64, id string) (d BundleDiff, err error) {
	d.ID = id
	if from > 0 {
		if d.Before, err = c.storedBundle(ctx, from, id); err != nil {
			return d, err
		}
	}
	if d.After, err = c.storedBundle(ctx, to, id); err != nil {
		return d, err
	}
	for _, b := range []*Bundle{d.Before, d.After} {
		if b != nil {
			d.PSP = b.PSP
		}
	}
	d.Fields = FieldDiffs(d.Before, d.After)
	return d, nil
}

// FieldDiffs returns the authored fields in which two bundles differ, in order of name; nil stands for a
// bundle that is not there.
func FieldDiffs(before, after *Bundle) (diffs []FieldDiff) {
	old, now := fieldsOf(before), fieldsOf(after)
	names := maps.Clone(old)
	maps.Copy(names, now)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !bytes.Equal(old[name], now[name]) {
			diffs = append(diffs, FieldDiff{name, string(old[name]), string(now[name])})
		}
	}
	return diffs
}

// fieldsOf returns the authored fields of a bundle as JSON, by their wire names.
func fieldsOf(b *Bundle) map[string]json.RawMessage {
	if b == nil {
		return map[string]json.RawMessage{}
	}
	var e jx.Encoder
	e.ObjStart()
	WriteBundle(&e, b)
	e.ObjEnd()
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(e.Bytes(), &fields); err != nil {
		panic(err) // what the encoder wrote is an object
	}
	return fields
}
