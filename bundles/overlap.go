package bundles

import (
	"cmp"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"gec/engine"
)

// Conflict is two bundles of one PSP that would both be its answer to the same payment (A3).
type Conflict struct {
	// A is the bundle that is being checked. B is the one that it conflicts with: a stored one, or
	// one that comes before A among those that are being checked.
	A, B *engine.Bundle
	// Warning says that A or B has a `when`, which is its author's business; else it is an error.
	Warning bool
	// Band and Days are what the two have in common.
	Band engine.Band
	Days engine.Period
	// Of is A or B, Field the wire name of one of its fields and Value the value, as on the wire,
	// that would resolve the conflict: cents for minPaymentAmount and maxPaymentAmount, an ISO date
	// for validityDateFrom and validityDateTo. Where no band and no date would, Field is "id" and
	// Value that of B: it is B that has to be changed, not another bundle to be added.
	Of           *engine.Bundle
	Field, Value string
}

// Reason says which bundle is in conflict and in what.
func (c *Conflict) Reason() string {
	days := "every day"
	switch {
	case c.Days.From != 0 && c.Days.To != 0:
		days = fmt.Sprintf("from %s to %s", c.Days.From, c.Days.To)
	case c.Days.From != 0:
		days = fmt.Sprintf("from %s on", c.Days.From)
	case c.Days.To != 0:
		days = fmt.Sprintf("until %s", c.Days.To)
	}
	return fmt.Sprintf("overlaps bundle %s: both are for amounts above %d up to %d cents, %s", Excerpt(c.B.ID), c.Band.MinCents, c.Band.MaxCents, days)
}

// Fix says what would resolve the conflict.
func (c *Conflict) Fix() string {
	switch {
	case c.Field == "id":
		return fmt.Sprintf("change bundle %s instead of adding this one, or give one of them other conditions", Excerpt(c.B.ID))
	case c.Of == c.B:
		return fmt.Sprintf("set %s of bundle %s to %s", c.Field, Excerpt(c.B.ID), c.Value)
	}
	return fmt.Sprintf("set %s to %s", c.Field, c.Value)
}

// Fault returns the conflict as a fault of A, whose place in its document is path, such as
// "bundles[3]"; empty for a document that is A alone. The path of the fault is that of the field of A
// to change, or of the band where it is not A that should change.
func (c *Conflict) Fault(path string) Fault {
	field := c.Field
	if c.Of != c.A {
		field = fieldMin
	}
	if path != "" {
		field = path + "." + field
	}
	return Fault{Path: field, Reason: c.Reason(), Fix: c.Fix()}
}

// The wire names of the fields that resolve conflicts.
const (
	fieldMin  = "minPaymentAmount"
	fieldMax  = "maxPaymentAmount"
	fieldFrom = "validityDateFrom"
	fieldTo   = "validityDateTo"
)

// ConflictsPerBundleMax bounds how many errors, and how many warnings, are reported of one bundle, so
// that an upload of ten thousand equal bundles does not make fifty million conflicts.
const ConflictsPerBundleMax = 10

// Conflicts returns the conflicts of candidates with stored bundles and with each other (A3), in order
// of the candidates and, of each, of what it conflicts with; those of stored bundles with each other
// are none of its business. Stored bundles that have the id of a candidate are those that it replaces
// (A4), and are passed over, as are two candidates of one id; stored may be nil. postePSP is
// Settings.PostePSP; empty: none.
//
// Candidates are compared by what they say: a beginning that is open is the beginning of time, so that
// one that means tomorrow has to be filled in before.
//
// It takes time in proportion to the bundles, times their logarithm, and to the pairs that differ in
// schedule or dates only.
func Conflicts(candidates []*engine.Bundle, stored iter.Seq[*engine.Bundle], postePSP string) []Conflict {
	s := overlapSearch{poste: fold(postePSP), buckets: map[overlapKey][]*overlapItem{}}
	psps, ids := map[string]bool{}, map[string]bool{}
	for _, b := range candidates {
		psps[fold(b.PSP)] = true
		ids[b.ID] = b.ID != ""
		s.add(b, true)
	}
	if stored != nil {
		for b := range stored {
			if psps[fold(b.PSP)] && !ids[b.ID] {
				s.add(b, false)
			}
		}
	}
	for key, bucket := range s.buckets {
		s.sweep(bucket, key.code)
	}
	slices.SortFunc(s.found, func(a, b foundConflict) int {
		return cmp.Or(cmp.Compare(a.a.place, b.a.place), cmp.Compare(a.b.place, b.b.place))
	})
	conflicts := make([]Conflict, len(s.found))
	for i, f := range s.found {
		conflicts[i] = newConflict(f.a.bundle, f.b.bundle)
	}
	return conflicts
}

// overlapSearch puts bundles that agree in all that must be equal into one bucket, and then goes
// through each bucket from the smallest amount to the largest.
type overlapSearch struct {
	poste   string
	items   int
	buckets map[overlapKey][]*overlapItem
	found   []foundConflict
}

// overlapKey is what the bundles of a bucket agree in: the conditions that must be equal, in one text,
// and a taxonomy code that all of them have, empty for those that have none.
type overlapKey struct{ conditions, code string }

// overlapItem is one bundle in the search.
type overlapItem struct {
	bundle *engine.Bundle
	// place among all, candidates first.
	place     int
	candidate bool
	// codes are the bare taxonomy codes in order.
	codes []string
	// week is made when it is first needed.
	week *Week
	// errors and warnings count those found of this bundle as the A of a conflict.
	errors, warnings int
}

type foundConflict struct{ a, b *overlapItem }

// add puts a bundle into its bucket: one bucket for each of its codes, or one for bundles of any code,
// since open taxonomies conflict with open ones only.
func (s *overlapSearch) add(b *engine.Bundle, candidate bool) {
	item := &overlapItem{bundle: b, place: s.items, candidate: candidate}
	s.items++
	channel := ""
	if b.Type == engine.Private || s.poste != "" && fold(b.PSP) == s.poste {
		channel = fold(b.Channel) // different channels are exempt
	}
	flags := "-"
	if b.OnUs {
		flags = "+"
	}
	key := overlapKey{conditions: strings.Join([]string{
		fold(b.PSP), b.Type.String(), flags, foldedAny(b.PaymentType), foldedAny(b.Touchpoint), channel,
	}, "\x00")}
	if len(b.TransferCategories) == 0 {
		s.buckets[key] = append(s.buckets[key], item)
		return
	}
	for _, code := range b.TransferCategories {
		item.codes = append(item.codes, engine.BareCategory(code))
	}
	slices.Sort(item.codes)
	item.codes = slices.Compact(item.codes)
	for _, key.code = range item.codes {
		s.buckets[key] = append(s.buckets[key], item)
	}
}

// foldedAny brings "any" in all its spellings to the empty text, and other names to one case.
func foldedAny(name string) string {
	if name = fold(name); name == fold(engine.Any) {
		return ""
	}
	return name
}

// sweep finds the conflicts within the bucket of a code.
func (s *overlapSearch) sweep(bucket []*overlapItem, code string) {
	slices.SortFunc(bucket, func(a, b *overlapItem) int {
		return cmp.Or(cmp.Compare(a.bundle.Band.MinCents, b.bundle.Band.MinCents), cmp.Compare(a.place, b.place))
	})
	conditional := slices.ContainsFunc(bucket, func(i *overlapItem) bool { return i.bundle.When != "" })
	var candidates, stored []*overlapItem // whose bands reach beyond the current minimum
	latest := -1
	for _, item := range bucket {
		if item.bundle.Band.MaxCents <= item.bundle.Band.MinCents {
			continue // no payment falls in it; A2 refuses it
		}
		// A candidate that comes after all those before it has their conflicts as its own, so that
		// it needs to meet no more of them when it has enough.
		enough := func() bool {
			return item.place > latest && item.errors >= ConflictsPerBundleMax && (!conditional || item.warnings >= ConflictsPerBundleMax)
		}
		candidates = s.meet(item, candidates, code, enough)
		if !item.candidate {
			stored = append(stored, item)
			continue
		}
		stored = s.meet(item, stored, code, enough)
		candidates, latest = append(candidates, item), max(latest, item.place)
	}
}

// meet compares a bundle with those before it that reach its band, until there is enough, and returns
// them without those that do not.
func (s *overlapSearch) meet(item *overlapItem, before []*overlapItem, code string, enough func() bool) []*overlapItem {
	reaching := before[:0]
	for i, other := range before {
		if enough() {
			return append(reaching, before[i:]...)
		}
		if other.bundle.Band.MaxCents > item.bundle.Band.MinCents {
			reaching = append(reaching, other)
			s.compare(item, other, code)
		}
	}
	return reaching
}

// compare notes the conflict of two bundles of one bucket whose bands intersect, if there is one.
func (s *overlapSearch) compare(a, b *overlapItem, code string) {
	if !a.candidate || b.candidate && b.place > a.place {
		a, b = b, a
	}
	if !periodsMeet(a.bundle.Validity, b.bundle.Validity) {
		return
	}
	count := &a.errors
	if a.bundle.When != "" || b.bundle.When != "" {
		count = &a.warnings
	}
	if *count >= ConflictsPerBundleMax || a.bundle.ID == b.bundle.ID && a.bundle.ID != "" {
		return
	}
	if !schedulesMeet(a, b) || firstShared(a.codes, b.codes) != code { // found in the bucket of their first code
		return
	}
	*count++
	s.found = append(s.found, foundConflict{a, b})
}

// firstShared returns the first of the codes that both have; both are in order.
func firstShared(a, b []string) string {
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0], b[0]) {
		case 0:
			return a[0]
		case -1:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return ""
}

// periodsMeet reports whether two validities have a day in common; a period that ends before it starts
// has none.
func periodsMeet(a, b engine.Period) bool {
	shared := commonDays(a, b)
	return shared.To == 0 || shared.From <= shared.To
}

func commonDays(a, b engine.Period) engine.Period {
	to := min(a.To, b.To)
	if a.To == 0 || b.To == 0 {
		to = max(a.To, b.To)
	}
	return engine.Period{From: max(a.From, b.From), To: to}
}

func schedulesMeet(a, b *overlapItem) bool {
	if a.bundle.Schedule == nil && b.bundle.Schedule == nil {
		return true
	}
	return a.minutes().Meets(b.minutes())
}

func (i *overlapItem) minutes() *Week {
	if i.week == nil {
		i.week = WeekOf(i.bundle.Schedule)
	}
	return i.week
}

// newConflict describes the conflict of two bundles and finds what would resolve it.
func newConflict(a, b *engine.Bundle) Conflict {
	c := Conflict{
		A: a, B: b, Warning: a.When != "" || b.When != "",
		Band: engine.Band{MinCents: max(a.Band.MinCents, b.Band.MinCents), MaxCents: min(a.Band.MaxCents, b.Band.MaxCents)},
		Days: commonDays(a.Validity, b.Validity),
	}
	set := func(of *engine.Bundle, field, value string) { c.Of, c.Field, c.Value = of, field, value }
	if field, cents, ok := narrower(a.Band, b.Band); ok {
		set(a, field, strconv.FormatInt(cents, 10))
		return c
	}
	from, to := b.Validity.From, b.Validity.To
	switch {
	case to != 0 && (a.Validity.To == 0 || to < a.Validity.To):
		set(a, fieldFrom, to.AddDays(1).String())
	case a.Validity.From < from:
		set(a, fieldTo, from.AddDays(-1).String())
	case from < a.Validity.From:
		set(b, fieldTo, a.Validity.From.AddDays(-1).String())
	default:
		if field, cents, ok := narrower(b.Band, a.Band); ok {
			set(b, field, strconv.FormatInt(cents, 10))
		} else {
			set(a, "id", b.ID)
		}
	}
	return c
}

// narrower returns the end of the band that is to be moved, and where to, so that the band leaves the
// other one, which it intersects, and keeps some amounts; ok is false where the other holds all of it.
func narrower(band, other engine.Band) (field string, cents int64, ok bool) {
	switch {
	case band.MinCents < other.MinCents:
		return fieldMax, other.MinCents, true
	case other.MaxCents < band.MaxCents:
		return fieldMin, other.MaxCents, true
	}
	return "", 0, false
}

const (
	minutesOfDay  = 24 * 60
	minutesOfWeek = 7 * minutesOfDay
)

// Week is a set of the minutes of the week by the wall clock, from Monday 00:00 on: the times at which
// a schedule holds (Q13). Weeks of the same minutes are equal by ==.
type Week [(minutesOfWeek + 63) / 64]uint64

// WeekOf returns the minutes of a schedule: all of them for nil, none for an empty one. A span past
// midnight runs into the next day, from Sunday into Monday.
func WeekOf(s engine.Schedule) *Week {
	var w Week
	if s == nil {
		w.add(0, minutesOfWeek)
		return &w
	}
	for _, band := range s {
		from, to := min(max(band.FromMinute, 0), minutesOfDay), min(max(band.ToMinute, 0), minutesOfDay)
		for day := range 7 {
			if !band.Days.Has(day + 1) {
				continue
			}
			midnight := day * minutesOfDay
			if band.FromMinute < band.ToMinute {
				w.add(midnight+from, midnight+to)
				continue
			}
			w.add(midnight+from, midnight+minutesOfDay)
			next := (midnight + minutesOfDay) % minutesOfWeek
			w.add(next, next+to)
		}
	}
	return &w
}

// add adds the minutes from <= t < to.
func (w *Week) add(from, to int) {
	for at := from; at < to; {
		end := min(to, (at/64+1)*64)
		w[at/64] |= (^uint64(0) >> (64 - (end - at))) << (at % 64)
		at = end
	}
}

// Meets reports whether the two have a minute in common.
func (w *Week) Meets(other *Week) bool {
	for i := range w {
		if w[i]&other[i] != 0 {
			return true
		}
	}
	return false
}

// Contains reports whether every minute of the other is in w.
func (w *Week) Contains(other *Week) bool {
	for i := range w {
		if other[i]&^w[i] != 0 {
			return false
		}
	}
	return true
}

// Minutes returns how many minutes are in w, 0 to 10 080.
func (w *Week) Minutes() (n int) {
	for _, word := range w {
		n += bits.OnesCount64(word)
	}
	return n
}

// Empty reports whether there is no minute in w.
func (w *Week) Empty() bool { return *w == Week{} }
