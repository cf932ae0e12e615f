package main

import (
	"cmp"
	"slices"

	"gec/engine"
)

// ranking turns the bundles that apply into an answer: the cheapest of each PSP (Q19), by fee, business name
// and id (Q20, Q23). It serves flat fees without contributions and is not for concurrent use.
type ranking struct {
	best map[string]*engine.Bundle
	rows []*engine.Bundle
}

func newRanking() *ranking { return &ranking{best: map[string]*engine.Bundle{}} }

func (r *ranking) begin() { clear(r.best) }

func (r *ranking) add(b *engine.Bundle) {
	kept := r.best[b.PSP]
	if kept == nil || b.Fee.FlatCents < kept.Fee.FlatCents ||
		b.Fee.FlatCents == kept.Fee.FlatCents && (b.OnUs && !kept.OnUs || b.OnUs == kept.OnUs && b.ID < kept.ID) {
		r.best[b.PSP] = b
	}
}

// answer returns the rows, valid until the next begin.
func (r *ranking) answer() []*engine.Bundle {
	r.rows = r.rows[:0]
	for _, b := range r.best {
		r.rows = append(r.rows, b)
	}
	slices.SortFunc(r.rows, func(a, b *engine.Bundle) int {
		if c := cmp.Compare(a.Fee.FlatCents, b.Fee.FlatCents); c != 0 {
			return c
		}
		if c := cmp.Compare(a.PSPBusinessName, b.PSPBusinessName); c != 0 {
			return c
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return r.rows[:min(engine.DefaultLimit, len(r.rows))]
}
