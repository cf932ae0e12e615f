package bench

import (
	"fmt"
	"slices"

	"gec/engine"
)

// Case is one thing that is measured in process.
type Case struct {
	// Name is "way/kind/bundles", such as "quote/fee/513". Records refer to it.
	Name string
	// Prepare makes everything that is not measured. An Operation that is measured for its allocations
	// has run often enough to be warm.
	Prepare func(*Lab) (Operation, error)
}

// kind is a kind of quotes: catalogue, payments and options.
type kind struct {
	name      string
	catalogue Options
	mix       Mix
	options   engine.Options
}

func (k kind) at(bundles int) kind {
	k.catalogue.Bundles = bundles
	return k
}

func (k kind) caseName(way string) string {
	return fmt.Sprintf("%s/%s/%d", way, k.name, k.catalogue.Bundles)
}

func (k kind) payments(l *Lab) []engine.Payment {
	c := l.Catalogue(k.catalogue)
	mix := k.mix
	if k.catalogue.ECs > 0 {
		mix.ECs = c.ECs
	}
	return c.Payments(mixSize, mix)
}

// kinds are the quotes that are measured. All have on-us rows first, as the wire contract has by default.
func kinds() []kind {
	byFee := engine.Options{Order: engine.OrderFee, OnUsFirst: true}
	all := []kind{
		{"fee", List(0), Mix{FilterPercent: 20}, byFee},
		{"card", List(0), Mix{Card: true}, byFee},
		{"random", List(0), Mix{Card: true}, engine.Options{Order: engine.OrderRandom, OnUsFirst: true}},
		{"feerandom", List(0), Mix{Card: true}, engine.Options{Order: engine.OrderFeeRandom, OnUsFirst: true}},
		{"pspname", List(0), Mix{Card: true}, engine.Options{Order: engine.OrderPSPName, OnUsFirst: true}},
		{"own-card", List(0), Mix{OwnCard: true}, byFee},
		{"filter", List(0), Mix{FilterPercent: 100}, byFee},
		{"when", Options{Seed: 1, WhenPercent: 5}, Mix{Card: true}, byFee},
		{"rich", Options{Seed: 1, WhenPercent: 5, SchedulePercent: 5, TaxonomyPercent: 20, FormulaPercent: 10}, Mix{FilterPercent: 20}, byFee},
		{"cart", Options{Seed: 1, ECs: 3, SubscriptionsPerEC: 200}, Mix{Card: true, Notices: 5}, byFee},
		{"v1", List(0), Mix{FilterPercent: 20}, engine.Options{View: engine.EveryBundle, OnUsFirst: true}},
	}
	return all
}

// listKind is the kind that all ways can answer and that floors are measured on.
func listKind(name string) kind {
	all := kinds()
	return all[slices.IndexFunc(all, func(k kind) bool { return k.name == name })]
}

// Cases lists everything that is measured in process, in the order in which it is shown.
func Cases() []Case {
	var cases []Case
	for _, k := range kinds() {
		sizes := Sizes()
		if k.name == "fee" {
			sizes = []int{1, 100, 513, 5_130, 10_000, 51_300, 100_000}
		}
		for _, bundles := range sizes {
			cases = append(cases, quoteCase(k.at(bundles)))
		}
	}
	for _, name := range []string{"fee", "card"} {
		for _, bundles := range Sizes() {
			k := listKind(name).at(bundles)
			cases = append(cases, integersCase(k), stringsCase(k))
			if bundles <= 5_130 { // compiling more programs takes longer than all the rest
				cases = append(cases, programsCase(k), plainCase(k))
			}
		}
	}
	for _, bundles := range Sizes() {
		cases = append(cases, jsonCase(listKind("card").at(bundles)))
	}
	cases = append(cases, jsonCase(listKind("fee").at(513)), jsonCase(listKind("v1").at(513)))
	for _, bundles := range Sizes() {
		cases = append(cases, buildCase(List(bundles)), changeCase(List(bundles)))
	}
	return cases
}

func quoteCase(k kind) Case {
	return Case{k.caseName("quote"), func(l *Lab) (Operation, error) {
		s, err := l.Snapshot(k.catalogue)
		if err != nil {
			return nil, err
		}
		quoter, payments := engine.NewQuoter(), k.payments(l)
		return func(i int) error {
			_, err := quoter.Quotes(s, &payments[i%mixSize], k.options)
			return err
		}, nil
	}}
}

func plainCase(k kind) Case {
	return Case{k.caseName("plain"), func(l *Lab) (Operation, error) {
		s, err := l.Snapshot(k.catalogue)
		if err != nil {
			return nil, err
		}
		payments := k.payments(l)
		return func(i int) error {
			_, err := engine.Plain(s, &payments[i%mixSize], k.options)
			return err
		}, nil
	}}
}

func integersCase(k kind) Case {
	return Case{k.caseName("integers"), func(l *Lab) (Operation, error) {
		way, err := NewIntegers(l.Catalogue(k.catalogue))
		payments := k.payments(l)
		return func(i int) error {
			way.Quote(&payments[i%mixSize], engine.DefaultLimit)
			return nil
		}, err
	}}
}

func stringsCase(k kind) Case {
	return Case{k.caseName("strings"), func(l *Lab) (Operation, error) {
		way, err := NewStrings(l.Catalogue(k.catalogue))
		payments := k.payments(l)
		return func(i int) error {
			way.Quote(&payments[i%mixSize], engine.DefaultLimit)
			return nil
		}, err
	}}
}

func programsCase(k kind) Case {
	return Case{k.caseName("programs"), func(l *Lab) (Operation, error) {
		way, err := NewPrograms(l.Catalogue(k.catalogue))
		payments := k.payments(l)
		return func(i int) error {
			way.Quote(&payments[i%mixSize], engine.DefaultLimit)
			return nil
		}, err
	}}
}

func buildCase(o Options) Case {
	return Case{fmt.Sprintf("snapshot/build/%d", o.Bundles), func(l *Lab) (Operation, error) {
		c := l.Catalogue(o)
		return func(int) error {
			_, err := c.Snapshot()
			return err
		}, nil
	}}
}

// changeCase derives the snapshot in which one bundle has another fee.
func changeCase(o Options) Case {
	return Case{fmt.Sprintf("snapshot/change/%d", o.Bundles), func(l *Lab) (Operation, error) {
		s, err := l.Snapshot(o)
		bundles := l.Catalogue(o).Bundles
		return func(i int) error {
			changed := *bundles[i*7919%len(bundles)]
			changed.Fee.FlatCents += 10
			_, err := s.With(engine.Change{Revision: 2, Put: []*engine.Bundle{&changed}})
			return err
		}, err
	}}
}
