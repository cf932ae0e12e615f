// Package failing remembers which bundles were left out of answers because their condition or fee failed while
// running (Q14, Q15), so that the operator and the bundle's author learn of it: nobody else would, as the payer sees
// only that a bundle is not there.
//
// It refuses to remember the payments. What it knows is of this process, since it began.
//
// Where to start: [Bundles.Note].
package failing

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"gec/engine"
)

// bundlesMax bounds how many bundles are remembered. Beyond it failures are counted as those of one, "other".
const bundlesMax = 4096

const other = "other"

// Bundle is one that failed.
type Bundle struct {
	PSP, ID string
	// Count is how often, Last when it last did, Err why then.
	Count uint64
	Last  time.Time
	Err   error
	// bundle is the one that failed last.
	bundle *engine.Bundle
}

// Is reports whether it is a bundle as it is now that failed, rather than one before it.
func (b *Bundle) Is(now *engine.Bundle) bool {
	return b.bundle == now || b.bundle != nil && reflect.DeepEqual(*b.bundle, *now)
}

type key struct{ psp, id string }

// Bundles are those that failed. The zero Bundles have none; they are safe for concurrent use.
type Bundles struct {
	mu  sync.Mutex
	all map[key]*Bundle
}

// Note remembers what an answer left out at an instant, and reports whether the first of it had never failed
// before, so that it can be said once.
func (b *Bundles) Note(failures []engine.Failure, at time.Time) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[key]*Bundle{}
	}
	for i, f := range failures {
		k := key{f.Bundle.PSP, f.Bundle.ID}
		known := b.all[k]
		if known == nil && len(b.all) >= bundlesMax {
			k = key{other, other}
			known = b.all[k]
		}
		if known == nil {
			known = &Bundle{PSP: k.psp, ID: k.id}
			b.all[k] = known
			first = first || i == 0
		}
		known.Count++
		known.Last, known.Err, known.bundle = at, f.Err, f.Bundle
	}
	return first
}

// All returns those of all PSPs, in order; OfPSP those of one.
func (b *Bundles) All() []Bundle { return b.which(func(*Bundle) bool { return true }) }

// OfPSP returns those of one PSP, in order of id.
func (b *Bundles) OfPSP(psp string) []Bundle {
	return b.which(func(f *Bundle) bool { return strings.EqualFold(f.PSP, psp) })
}

func (b *Bundles) which(wanted func(*Bundle) bool) (found []Bundle) {
	b.mu.Lock()
	for _, f := range b.all {
		if wanted(f) {
			found = append(found, *f)
		}
	}
	b.mu.Unlock()
	slices.SortFunc(found, func(x, y Bundle) int { return cmp.Or(strings.Compare(x.PSP, y.PSP), strings.Compare(x.ID, y.ID)) })
	return found
}
