package bench

import (
	"fmt"

	"gec/engine"
)

// Sizes are the numbers of bundles that the goals name.
func Sizes() []int { return []int{513, 5_130, 51_300} }

// mixSize is the number of different payments that a benchmark takes in turn; a power of two.
const mixSize = 256

// Operation is one thing done once, the i-th time. What it does must not depend on i but for the choice of
// the payment.
type Operation func(i int) error

// Lab keeps what several benchmarks need, so that it is made once. It is not for concurrent use.
type Lab struct {
	catalogues map[Options]*Catalogue
	snapshots  map[Options]*engine.Snapshot
	annotated  map[Options]*engine.Snapshot
}

// NewLab returns an empty Lab.
func NewLab() *Lab {
	return &Lab{map[Options]*Catalogue{}, map[Options]*engine.Snapshot{}, map[Options]*engine.Snapshot{}}
}

// Catalogue returns the catalogue of the options.
func (l *Lab) Catalogue(o Options) *Catalogue {
	if l.catalogues[o] == nil {
		l.catalogues[o] = Generate(o)
	}
	return l.catalogues[o]
}

// Snapshot returns the snapshot of the options' catalogue.
func (l *Lab) Snapshot(o Options) (*engine.Snapshot, error) {
	return l.snapshot(l.snapshots, o, nil)
}

func (l *Lab) snapshot(made map[Options]*engine.Snapshot, o Options, annotate func(*engine.Bundle) any) (*engine.Snapshot, error) {
	if made[o] == nil {
		c := l.Catalogue(o)
		s, err := engine.NewSnapshot(c.Source(), c.Deps(annotate))
		if err != nil {
			return nil, fmt.Errorf("the generated catalogue is refused: %w", err)
		}
		made[o] = s
	}
	return made[o], nil
}

// Forget drops what is kept, so that memory can be measured.
func (l *Lab) Forget() { *l = *NewLab() }
