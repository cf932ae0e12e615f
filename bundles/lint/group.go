package lint

import (
	"cmp"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// conditions are all that a bundle asks of a payment but the amount and the day, brought to one form.
type conditions struct {
	groupKey
	// codes are the bare taxonomy codes in order, joined; empty for any.
	codes string
	// week is the same pointer for equal schedules, nil for always.
	week *bundles.Week
	cart bool
	// stamps is the set of kinds of payment that Q8 lets pass.
	stamps stampSet
}

// groupKey is the part of the conditions by which wider groups are looked up.
type groupKey struct {
	psp, channel, broker, abi     string
	reach                         engine.BundleType
	onUs                          bool
	paymentType, touchpoint, when string // empty for any
	// code is one of the taxonomy codes; empty for any.
	code string
}

// stampSet is a set of the three kinds of payment of Q8.
type stampSet uint8

const (
	noStamps stampSet = 1 << iota
	someStamps
	onlyStamps
)

// group is the bundles of equal conditions.
type group struct {
	conditions
	// list is the bare taxonomy codes in order.
	list []string
	// members by minimum, then maximum, then id; tops[i] is the largest maximum of members[:i+1].
	members []*item
	tops    []int64
	// days after today on which a member begins or is no more, the first of them.
	days []engine.Date
	// minutes is the number of minutes in week.
	minutes int
	// crowded says that wider does not hold all that it should, because there are too many; then
	// nothing is said of amounts without a fee.
	crowded bool
	// wider are the groups whose conditions hold wherever these do, among them those of bundles of
	// the same reach, PUBLIC or PRIVATE, which may have other subscribers.
	wider []*group
}

// makeGroups groups the live bundles.
func (l *linter) makeGroups() {
	groups, weeks := map[conditions]*group{}, map[bundles.Week]*bundles.Week{}
	for _, it := range l.items {
		if it.dead {
			continue
		}
		c, list := conditionsOf(it.Bundle, weeks)
		g := groups[c]
		if g == nil {
			g = &group{conditions: c, list: list}
			if c.week != nil {
				g.minutes = c.week.Minutes()
			}
			groups[c] = g
			l.groups = append(l.groups, g)
			l.index(g)
		}
		it.group = g
		g.members = append(g.members, it)
	}
	for _, g := range l.groups {
		slices.SortStableFunc(g.members, compareBands)
		for i, it := range g.members {
			g.tops = append(g.tops, it.Band.MaxCents)
			if i > 0 {
				g.tops[i] = max(g.tops[i], g.tops[i-1])
			}
		}
	}
	for _, g := range l.groups {
		g.wider = l.widerThan(g)
	}
}

func compareBands(a, b *item) int {
	return cmp.Or(cmp.Compare(a.Band.MinCents, b.Band.MinCents), cmp.Compare(a.Band.MaxCents, b.Band.MaxCents), strings.Compare(a.ID, b.ID))
}

func conditionsOf(b *bundles.Bundle, weeks map[bundles.Week]*bundles.Week) (conditions, []string) {
	c := conditions{groupKey: groupKey{
		psp: fold(b.PSP), channel: fold(b.Channel), broker: fold(b.Broker), abi: fold(b.ABI), reach: b.Type, onUs: b.OnUs,
		paymentType: foldedAny(b.PaymentType), touchpoint: foldedAny(b.Touchpoint), when: b.When,
	}, cart: b.Cart, stamps: noStamps}
	switch {
	case b.DigitalStamp && b.DigitalStampOnly:
		c.stamps = onlyStamps
	case b.DigitalStamp:
		c.stamps = noStamps | someStamps | onlyStamps
	}
	if b.Schedule != nil {
		week := bundles.WeekOf(b.Schedule)
		if *week != *bundles.WeekOf(nil) {
			if weeks[*week] == nil {
				weeks[*week] = week
			}
			c.week = weeks[*week]
		}
	}
	var list []string
	for _, code := range b.TransferCategories {
		list = append(list, engine.BareCategory(code))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	c.codes = strings.Join(list, ",")
	return c, list
}

// index makes the group found by its conditions with any one of its codes.
func (l *linter) index(g *group) {
	key := g.groupKey
	if len(g.list) == 0 {
		l.byKey[key] = append(l.byKey[key], g)
	}
	for _, key.code = range g.list {
		l.byKey[key] = append(l.byKey[key], g)
	}
}

// widerMax bounds how many wider groups are kept of one group, lookedMax how many are looked at to find
// them. Real PSPs have a handful.
const (
	widerMax  = 100
	lookedMax = 2000
)

// widerThan returns the other groups whose conditions hold wherever those of g do.
func (l *linter) widerThan(g *group) (wider []*group) {
	looked := 0
	for _, key := range g.widerKeys() {
		for _, w := range l.byKey[key] {
			if looked++; looked > lookedMax || len(wider) == widerMax {
				g.crowded = true
				return wider
			}
			if w == g || !w.contains(g) {
				continue
			}
			wider = append(wider, w)
		}
	}
	return wider
}

// widerKeys returns the keys under which wider groups are found: each condition is the same or absent.
func (g *group) widerKeys() []groupKey {
	keys := []groupKey{g.groupKey}
	vary := func(values int, set func(key *groupKey, value int)) {
		varied := make([]groupKey, 0, values*len(keys))
		for _, key := range keys {
			for value := range values {
				set(&key, value)
				varied = append(varied, key)
			}
		}
		keys = varied
	}
	reaches := either(g.groupKey.reach, engine.Global)
	vary(len(reaches), func(key *groupKey, i int) { key.reach = reaches[i] })
	types := either(g.paymentType, "")
	vary(len(types), func(key *groupKey, i int) { key.paymentType = types[i] })
	touchpoints := either(g.touchpoint, "")
	vary(len(touchpoints), func(key *groupKey, i int) { key.touchpoint = touchpoints[i] })
	sources := either(g.when, "")
	vary(len(sources), func(key *groupKey, i int) { key.when = sources[i] })
	abis := either(g.abi, "") // without an ABI: for the cards of every bank (Q10); on-us ones are dead then
	vary(len(abis), func(key *groupKey, i int) { key.abi = abis[i] })
	codes := g.anyCode()
	vary(len(codes), func(key *groupKey, i int) { key.code = codes[i] })
	return keys
}

func (g *group) anyCode() []string {
	if len(g.list) == 0 {
		return []string{""}
	}
	return []string{g.list[0], ""}
}

func either[T comparable](a, b T) []T {
	if a == b {
		return []T{a}
	}
	return []T{a, b}
}

// contains holds what of containment the key does not: w has been found by a key of g.
func (g *group) contains(narrow *group) bool {
	return (g.cart || !narrow.cart) && narrow.stamps&^g.stamps == 0 &&
		(g.week == nil || narrow.week != nil && g.minutes > narrow.minutes && g.week.Contains(narrow.week) || g.week == narrow.week) &&
		(len(g.list) == 0 || containsAll(g.list, narrow.list))
}

// containsAll reports whether all of some codes are among others; both are in order.
func containsAll(codes, some []string) bool {
	for _, code := range some {
		if _, found := slices.BinarySearch(codes, code); !found {
			return false
		}
	}
	return len(some) > 0
}
