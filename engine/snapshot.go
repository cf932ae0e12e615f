package engine

import (
	"fmt"
	"iter"
	"slices"
	"sync/atomic"

	"gec/engine/condition"
)

// Snapshot is one revision of the catalogue, prepared for quotes. It is immutable as its readers see
// it, and safe for concurrent use; With derives the next one, which shares all that did not change.
type Snapshot struct {
	revision int64
	settings *Settings
	deps     Deps
	names    dictionaries
	issuers  *issuers
	// blocked holds the numbers of the PSPs on the block list (Q4).
	blocked map[uint32]bool
	// poste and amex are the numbers of the configured PSP and ABI, none without (Q9, Q11).
	poste, amex uint32
	// touchpoints and paymentTypes tell the registered names by their numbers.
	touchpoints, paymentTypes registry

	// sheets holds the rows. held is how many of each are in the snapshot, free the places without a sheet, rows how many
	// all sheets have, among them such as are gone.
	sheets sheets
	held   []uint8
	free   []uint32
	rows   int
	// slots gives every bundle a slot that it keeps for good, pages tells the numbers of rows by slot.
	slots slots
	pages pages
	len   int
	// open is the index of the GLOBAL bundles that are not on-us, onUs those of the on-us ones, by the number
	// of their ABI; nil for one without.
	open *index
	onUs []*index
	psps []*pspRows
	// manyNames tells, by number, the PSPs whose bundles carry different business names.
	manyNames []bool
	// plans holds the ECs that have subscriptions.
	plans shards[string, *ECPlan]
}

// Source is everything that a snapshot is made of.
type Source struct {
	Revision int64
	Settings Settings
	Bundles  []*Bundle
	// ECs are the tax codes of the creditor institutions that have any subscription.
	ECs []string
}

// Deps are what a snapshot needs from outside. They are shared by all snapshots derived from it.
type Deps struct {
	// Programs compiles and keeps conditions; required.
	Programs *condition.Cache
	// Subscriptions returns those of one EC as they stood at a revision; nil: there are none.
	// It is called when an EC is quoted for whose plan is not there yet, by many goroutines.
	Subscriptions func(revision int64, ec string) ([]Subscription, error)
	// Retain is told of every plan of an EC that was built, so that its owner can bound the memory
	// of plans by ECPlan.Drop. nil: plans are kept as long as their snapshots.
	Retain func(*ECPlan)
	// Annotate makes an opaque value of a bundle when it is quoted for the first time, that its quotes carry as
	// Quote.Note; nil: no value. Several goroutines call it at once, seldom two of them for one bundle.
	Annotate func(*Bundle) any
	// Together runs the tasks of preparing a whole catalogue, none of which waits for another, and returns when
	// all are done; nil: one after the other. The engine itself starts no goroutine.
	Together func(tasks ...func())
	// Rest is called between the pieces of a change, each of some ten microseconds, by whoever called With or
	// NewSnapshot or by a task of Together: there the caller can let quotes go first. nil: no rest.
	Rest func()
}

func (d *Deps) together(tasks ...func()) {
	if d.Together != nil {
		d.Together(tasks...)
		return
	}
	for _, task := range tasks {
		task()
	}
}

func (d *Deps) rest() {
	if d.Rest != nil {
		d.Rest()
	}
}

// Change is what one revision changed in the one before.
type Change struct {
	Revision int64
	// Settings is nil when they did not change.
	Settings *Settings
	// Put holds new bundles and new versions of bundles, Remove the ids of those that are gone.
	Put    []*Bundle
	Remove []string
	// ECs are the tax codes of those whose subscriptions changed in any way.
	ECs []string
}

// pspRows is what there is of one PSP.
type pspRows struct {
	// all are the slots of its bundles.
	all byID
	// open is the index of its GLOBAL bundles that are not on-us, see openOf.
	open atomic.Pointer[index]
	// names and abis say in how far its bundles agree. Exact shortcuts depend on it.
	names map[string]int
	abis  map[uint32]int
}

// fewOfPSP is the number of bundles up to which the index of a PSP is made when a quote first asks for it, which takes
// some ten microseconds: most PSPs have few, and most quotes ask for none of their indexes.
const fewOfPSP = 64

// openOf returns the index of a PSP's GLOBAL bundles that are not on-us.
func (s *Snapshot) openOf(psp uint32) *index {
	p := s.psps[psp]
	if x := p.open.Load(); x != nil {
		return x
	}
	x := s.indexOf(p.all)
	p.open.Store(x) // another one that was made meanwhile is the same
	return x
}

// indexOf makes the index of those bundles that are GLOBAL and not on-us.
func (s *Snapshot) indexOf(bundles byID) *index {
	var rows []row
	for _, slot := range bundles {
		if r := s.rowOf(slot); r.kind == Global && !r.onUs {
			rows = append(rows, r)
		}
	}
	return newIndex(s.sheets, rows)
}

// NewSnapshot prepares a whole catalogue. It refuses settings and bundles that no answer could be
// right with; a bundle whose condition does not compile is kept, not quoted, and listed by Unusable
// (E5).
func NewSnapshot(src Source, deps Deps) (*Snapshot, error) {
	empty := &Snapshot{deps: deps, names: newDictionaries(), open: &index{}}
	settings := src.Settings
	return empty.With(Change{Revision: src.Revision, Settings: &settings, Put: src.Bundles, ECs: src.ECs})
}

// With returns the snapshot of the next revision. The receiver stays valid and unchanged.
// Errors as NewSnapshot.
func (s *Snapshot) With(c Change) (*Snapshot, error) {
	derived := *s
	d := &derived
	d.revision = c.Revision
	d.names = s.names.fork()
	added, err := newSheets(c.Put, &s.deps)
	if err != nil {
		return nil, err
	}
	change := newRowChange(s, d)
	for _, id := range c.Remove {
		change.remove(id)
	}
	for _, sheet := range added {
		if err := change.put(sheet); err != nil {
			return nil, err
		}
	}
	change.finish()
	if c.Settings != nil {
		if err := d.adopt(c.Settings); err != nil {
			return nil, err
		}
	}
	if len(c.ECs) > 0 {
		plans := s.plans.edit()
		for _, ec := range c.ECs {
			plans.set(shardOf(hashOf(ec)), ec, &ECPlan{ec: ec})
		}
		d.plans = *plans.shards
	}
	if most := max(d.len, pageRows); d.slots.count > slotsPerBundleMax*most || d.rows > rowsPerBundleMax*most {
		return d.renew()
	}
	return d, nil
}

// slotsPerBundleMax and rowsPerBundleMax bound what bundles which are gone leave behind: their slots, and the rest of
// their sheets. A catalogue that is replaced by one with other ids again and again would else grow for ever, and so
// would one whose bundles change here and there.
const slotsPerBundleMax, rowsPerBundleMax = 3, 2

// renew makes the same snapshot with a slot and a row for each bundle that is there and no other.
func (s *Snapshot) renew() (*Snapshot, error) {
	src := Source{Revision: s.revision, Settings: *s.settings}
	for b := range s.Bundles() {
		src.Bundles = append(src.Bundles, b)
	}
	for _, shard := range s.plans.maps {
		for ec := range shard {
			src.ECs = append(src.ECs, ec)
		}
	}
	return NewSnapshot(src, s.deps)
}

// adopt makes the settings those of the snapshot.
func (s *Snapshot) adopt(settings *Settings) error {
	if settings.ThresholdCents < 0 {
		return fmt.Errorf("amountThreshold: is %d cents: use 0 or more", settings.ThresholdCents)
	}
	issuers, err := newIssuers(settings.Issuers, s.names.abis)
	if err != nil {
		return err
	}
	s.settings, s.issuers = settings, issuers
	s.poste, s.amex = none, none
	if settings.PostePSP != "" {
		s.poste = s.names.psps.add(settings.PostePSP)
	}
	if settings.AmexABI != "" {
		s.amex = s.names.abis.add(settings.AmexABI)
	}
	s.blocked = map[uint32]bool{}
	for _, psp := range settings.BlockedPSPs {
		s.blocked[s.names.psps.add(psp)] = true
	}
	s.touchpoints = newRegistry(settings.Touchpoints, s.names.touchpoints)
	s.paymentTypes = newRegistry(settings.PaymentTypes, s.names.paymentTypes)
	return nil
}

// registry holds the registered names, folded, by their numbers.
type registry map[uint32]string

func newRegistry(registered []string, numbers *names) registry {
	r := make(registry, len(registered))
	for _, name := range registered {
		r[numbers.add(name)] = fold(name)
	}
	return r
}

// onUsOf returns the index of the on-us bundles of an ABI, nil without any; none has none.
func (s *Snapshot) onUsOf(abi uint32) *index {
	if uint64(abi) >= uint64(len(s.onUs)) {
		return nil
	}
	return s.onUs[abi]
}

// Revision returns the revision of the catalogue.
func (s *Snapshot) Revision() int64 { return s.revision }

// Settings returns the operator's settings; callers must not change them.
func (s *Snapshot) Settings() *Settings { return s.settings }

// Len returns the number of bundles.
func (s *Snapshot) Len() int { return s.len }

// Bundle returns the bundle of an id.
func (s *Snapshot) Bundle(id string) (*Bundle, bool) {
	if slot, ok := s.slotOf(id); ok {
		if r := s.rowOf(slot); r.there() {
			return r.bundle(), true
		}
	}
	return nil, false
}

// Bundles returns all bundles in order of id.
func (s *Snapshot) Bundles() iter.Seq[*Bundle] {
	return func(yield func(*Bundle) bool) {
		for _, r := range s.sortedRows() {
			if !yield(r.bundle()) {
				return
			}
		}
	}
}

// BundlesOf returns the bundles of a PSP in order of id.
func (s *Snapshot) BundlesOf(psp string) iter.Seq[*Bundle] {
	return func(yield func(*Bundle) bool) {
		for _, slot := range s.slotsOf(psp) {
			if !yield(s.rowOf(slot).bundle()) {
				return
			}
		}
	}
}

// IDsOf returns the ids of a PSP's bundles, in order.
func (s *Snapshot) IDsOf(psp string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, slot := range s.slotsOf(psp) {
			if !yield(s.rowOf(slot).id()) {
				return
			}
		}
	}
}

// slotsOf returns those of a PSP's bundles.
func (s *Snapshot) slotsOf(psp string) byID {
	if number := s.names.psps.find(psp); int64(number) < int64(len(s.psps)) && s.psps[number] != nil {
		return s.psps[number].all
	}
	return nil
}

func (s *Snapshot) sortedRows() []row {
	rows := make([]row, 0, s.len)
	for _, page := range s.pages {
		for _, number := range page {
			if number != none {
				rows = append(rows, s.sheets.at(number))
			}
		}
	}
	slices.SortFunc(rows, compareIDs)
	return rows
}

// slotOf returns the slot of an id that there is or was.
func (s *Snapshot) slotOf(id string) (slot uint32, ok bool) {
	return s.slots.find(hashOf(id), id, func(slot uint32) bool { return s.holds(slot, id) })
}

// holds reports whether the bundle of a slot is there and has the id.
func (s *Snapshot) holds(slot uint32, id string) bool {
	r := s.rowOf(slot)
	return r.there() && r.id() == id
}

// rowOf returns the row of a slot, the zero row where its bundle is gone, or not there yet: a plan that a later snapshot
// has prepared may name such.
func (s *Snapshot) rowOf(slot uint32) row {
	if int(slot/pageRows) >= len(s.pages) {
		return row{}
	}
	number := s.pages[slot/pageRows][slot%pageRows]
	if number == none {
		return row{}
	}
	return s.sheets.at(number)
}

// Unusable returns the bundles that are not quoted because their condition does not compile in the
// present version of the language, in order of id (E5). It compiles every condition that is not in the
// cache: callers ask after the language changed, not on the way of a quote.
func (s *Snapshot) Unusable() []Failure {
	failures := []Failure{}
	for _, r := range s.sortedRows() {
		if r.when() == nil {
			continue
		}
		if _, err := r.when().Program(); err != nil {
			failures = append(failures, Failure{r.bundle(), err})
		}
	}
	return failures
}

const pageRows = 256

// pages tells the numbers of rows by slot, none where the bundle is gone. A derived snapshot copies only the pages that
// it changes.
type pages []*[pageRows]uint32

func newPage() *[pageRows]uint32 {
	var page [pageRows]uint32
	for i := range page {
		page[i] = none
	}
	return &page
}
