package engine

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
)

// row is a bundle prepared for matching: names as numbers, the lowest fee, the condition's program.
// Rows are never changed, as their readers see them; snapshots share them.
type row struct {
	digest
	traits
	packed
	// slot is the bundle's place in the snapshot, the same for every version of it.
	slot uint32
}

// digest is what a walk needs of every row that it meets. Blocks keep the digests of their rows side by
// side, so that a walk over many rows that share few PSPs reads memory in order and does not follow
// the rows' pointers.
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
func compareRows(a, b *row) int {
	if c := cmp.Compare(a.lowest, b.lowest); c != 0 {
		return c
	}
	if c := comparePSPNames(a.text(textBusinessName), b.text(textBusinessName)); c != 0 {
		return c
	}
	return cmp.Compare(a.id(), b.id())
}

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

// newRow prepares a bundle, but for its names, which number does. It refuses what no check lets through and no
// answer could be right with.
func newRow(b *Bundle, deps *Deps) (*row, error) {
	switch {
	case b.ID == "" || b.PSP == "":
		return nil, fmt.Errorf("bundle %q of PSP %q: id and PSP are mandatory", b.ID, b.PSP)
	case b.Band.MinCents < 0 || b.Band.MaxCents <= b.Band.MinCents:
		return nil, fmt.Errorf("bundle %q: band %d to %d is empty", b.ID, b.Band.MinCents, b.Band.MaxCents)
	}
	if faults := b.Fee.Check(); len(faults) > 0 {
		return nil, fmt.Errorf("bundle %q: fee %s %s", b.ID, faults[0].Path, faults[0].Reason)
	}
	r := &row{}
	r.traits = traits{
		band: b.Band, touchpoint: none, paymentType: none,
		cart: b.Cart, stamp: b.DigitalStamp, stampOnly: b.DigitalStampOnly, categorised: len(b.TransferCategories) > 0,
	}
	r.digest = digest{
		chance: chanceID(fold(b.PSP)), name: nameKey(b.PSPBusinessName),
		validity: b.Validity, onUs: b.OnUs, card: sameName(b.PaymentType, CardPaymentType),
		conditional: b.Schedule != nil || b.When != "",
	}
	r.lowest, r.flat = b.Fee.Flat()
	if !r.flat {
		r.lowest, _ = b.Fee.Range(b.Band, b.Cart)
	}
	r.pack(b, deps)
	return r, nil
}

// number gives a new row its place and its names their numbers.
func (r *row) number(slot uint32, d dictionaries) {
	r.slot, r.psp, r.abi = slot, d.psps.add(r.text(textPSP)), d.abis.add(r.text(textABI))
	if touchpoint := r.text(textTouchpoint); named(touchpoint) {
		r.touchpoint = d.touchpoints.add(touchpoint)
	}
	if paymentType := r.text(textPaymentType); named(paymentType) {
		r.paymentType = d.paymentTypes.add(paymentType)
	}
	if !r.categorised {
		return
	}
	for _, code := range r.special.transferCategories {
		r.special.categories = append(r.special.categories, d.categories.add(BareCategory(code)))
	}
}

// rowsAtOnce is the number of rows from which they are prepared in tasksAtOnce tasks (see Deps.Together): of a whole
// catalogue, for which somebody waits. A smaller change leaves the other processors to quotes.
const rowsAtOnce, tasksAtOnce = 20_000, 16

// newRows prepares bundles.
func newRows(bundles []*Bundle, deps *Deps) ([]*row, error) {
	count := 1
	if len(bundles) >= rowsAtOnce {
		count = tasksAtOnce
	}
	rows, faults, tasks := make([]*row, len(bundles)), make([]error, count), make([]func(), count)
	part := (len(bundles) + count - 1) / count
	for n := range tasks {
		from, to := min(n*part, len(bundles)), min((n+1)*part, len(bundles))
		tasks[n] = func() {
			for i := from; i < to && faults[n] == nil; i++ {
				rows[i], faults[n] = newRow(bundles[i], deps)
				if i%rowsBetweenRests == 0 {
					deps.rest()
				}
			}
		}
	}
	deps.together(tasks...)
	for _, err := range faults {
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// rowsBetweenRests is the number of rows that are prepared between two calls of Deps.Rest.
const rowsBetweenRests = 32

// named reports whether a touchpoint or payment type is a name and not "any" (Q2, Q3).
func named(name string) bool {
	return name != "" && (len(name) != len(Any) || fold(name) != Any)
}
