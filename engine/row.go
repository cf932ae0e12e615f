package engine

import (
	"cmp"
	"encoding/binary"
	"math"
)

// digest is what a walk needs of every row that it meets. Blocks keep the digests of their rows side by
// side, so that a walk over many rows that share few PSPs reads memory in order and does not follow
// the rows' numbers.
type digest struct {
	// lowest is the lowest fee in cents that the bundle can ask; where flat is set it is the fee.
	lowest int64
	// chance is the hash of the PSP (Q22), name the first bytes of its business name (see nameKey).
	chance, name uint64
	psp, abi     uint32
	validity     Period
	// flat: the fee is the same for every payment. onUs: the bundle is. card: its payment type is
	// that of cards. conditional: it has a schedule or a condition.
	flat, onUs, card, conditional bool
}

// traits are what the bitmaps of a block stand for. Blocks keep those of their rows, too: a block of which some rows
// change is built without reading the others, each of which would be a miss of the processor's cache.
type traits struct {
	band Band
	// touchpoint and paymentType are, as the PSP and the ABI, numbers in the snapshot's dictionaries; none
	// where the bundle is for any.
	touchpoint, paymentType uint32
	// stamp: the bundle is for digital stamps, too; stampOnly: for nothing else. categorised: it names categories.
	cart, stamp, stampOnly, categorised bool
}

// nameKey returns the first eight bytes of a business name as a number that orders as they do, names
// that are missing last (Q20). Names of equal keys are compared whole.
func nameKey(name string) uint64 {
	if name == "" {
		return math.MaxUint64
	}
	var first [8]byte
	copy(first[:], name)
	return binary.BigEndian.Uint64(first[:])
}

// compareRows is the order of the index: lowest fee, then the order in which equal fees are shown
// (Q20), so that a walk in this order meets rows as they will be ranked.
func compareRows(a, b row) int {
	if c := cmp.Compare(a.lowest, b.lowest); c != 0 {
		return c
	}
	if c := comparePSPNames(a.text(textBusinessName), b.text(textBusinessName)); c != 0 {
		return c
	}
	return compareIDs(a, b)
}

// compareIDs orders rows by the ids of their bundles.
func compareIDs(a, b row) int { return cmp.Compare(a.id(), b.id()) }

// comparePSPNames orders business names, missing ones last (Q20).
func comparePSPNames(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(len(b), len(a))
	}
	return cmp.Compare(a, b)
}

// dictionaries number the names that bundles are matched by.
type dictionaries struct {
	psps, abis, touchpoints, paymentTypes, categories *names
}

func newDictionaries() dictionaries {
	return dictionaries{newNames(), newNames(), newNames(), newNames(), newExactNames()}
}

func (d dictionaries) fork() dictionaries {
	return dictionaries{d.psps.fork(), d.abis.fork(), d.touchpoints.fork(), d.paymentTypes.fork(), d.categories.fork()}
}

// assignNames gives the names of a new row their numbers.
func (r row) assignNames(d dictionaries) {
	r.psp, r.abi = d.psps.add(r.text(textPSP)), d.abis.add(r.text(textABI))
	if touchpoint := r.text(textTouchpoint); named(touchpoint) {
		r.touchpoint = d.touchpoints.add(touchpoint)
	}
	if paymentType := r.text(textPaymentType); named(paymentType) {
		r.paymentType = d.paymentTypes.add(paymentType)
	}
	if !r.categorised {
		return
	}
	s := r.special()
	for _, code := range s.transferCategories {
		s.categories = append(s.categories, d.categories.add(BareCategory(code)))
	}
}

// rowsAtOnce is the number of rows from which they are prepared in tasksAtOnce tasks (see Deps.Together): of a whole
// catalogue, for which somebody waits. A smaller change leaves the other processors to quotes.
const rowsAtOnce, tasksAtOnce = 20_000, 16

// newSheets prepares bundles, with a rest after each sheet.
func newSheets(bundles []*Bundle, deps *Deps) (sheets, error) {
	made := make(sheets, (len(bundles)+sheetRows-1)/sheetRows)
	count := 1
	if len(bundles) >= rowsAtOnce {
		count = tasksAtOnce
	}
	faults, tasks := make([]error, count), make([]func(), count)
	for n := range tasks {
		from, to := n*len(made)/count, (n+1)*len(made)/count
		tasks[n] = func() {
			for i := from; i < to && faults[n] == nil; i++ {
				made[i], faults[n] = newSheet(bundles[i*sheetRows:min((i+1)*sheetRows, len(bundles))], deps)
				deps.rest()
			}
		}
	}
	deps.together(tasks...)
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	return made, nil
}

// named reports whether a touchpoint or payment type is a name and not "any" (Q2, Q3).
func named(name string) bool {
	return name != "" && (len(name) != len(Any) || fold(name) != Any)
}
