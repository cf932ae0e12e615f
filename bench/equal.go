package bench

import (
	"fmt"

	"gec/engine"
)

// CheckAnswers asserts, before anything is timed, that all ways give the same rows for every payment that
// is measured: the indexed and the plain path, the loops over integers, strings and programs, and the bytes
// of the HTTP contract. The expensive ways are asked on the catalogue of one list only; the plain path, which
// tests of the engine compare with the indexed one, for one payment in eight.
func (l *Lab) CheckAnswers() error {
	for _, k := range kinds() {
		for _, bundles := range Sizes() {
			if err := l.checkKind(k.at(bundles)); err != nil {
				return fmt.Errorf("%s at %d bundles: %w", k.name, bundles, err)
			}
		}
	}
	return nil
}

func (l *Lab) checkKind(k kind) error {
	s, err := l.Snapshot(k.catalogue)
	if err != nil {
		return err
	}
	ways, err := l.otherWays(k, s)
	if err != nil {
		return err
	}
	quoter := engine.NewQuoter()
	rows := 0
	for i, p := range k.payments(l) {
		answer, err := quoter.Quotes(s, &p, k.options)
		if err != nil {
			return err
		}
		want := rowsOf(answer)
		rows += len(want)
		for _, w := range ways {
			if i%w.every != 0 {
				continue
			}
			got, err := w.quote(&p)
			if err != nil {
				return fmt.Errorf("payment %d: %s: %w", i, w.name, err)
			}
			if d := difference(got, want); d != "" {
				return fmt.Errorf("payment %d: %s: %s", i, w.name, d)
			}
		}
	}
	if rows == 0 {
		return fmt.Errorf("no payment has an answer: nothing was compared")
	}
	return nil
}

// way is another way to the same answer.
type way struct {
	name string
	// every is how many payments there are to one that is asked.
	every int
	quote func(*engine.Payment) ([]Row, error)
}

// otherWays returns the ways that can answer a kind at a bearable price.
func (l *Lab) otherWays(k kind, s *engine.Snapshot) (ways []way, err error) {
	c := l.Catalogue(k.catalogue)
	if k.catalogue.Bundles <= ListBundles {
		ways = append(ways, way{"plain path", 8, func(p *engine.Payment) ([]Row, error) {
			a, err := engine.Plain(s, p, k.options)
			if err != nil {
				return nil, err
			}
			return rowsOf(a), nil
		}})
	}
	json, err := l.jsonWay(k)
	if err != nil {
		return nil, err
	}
	ways = append(ways, json)
	if k.catalogue != List(k.catalogue.Bundles) || k.options.Order != engine.OrderFee || k.options.View != engine.OnePerPSP {
		return ways, nil
	}
	integers, err := NewIntegers(c)
	if err != nil {
		return nil, err
	}
	strings, err := NewStrings(c)
	if err != nil {
		return nil, err
	}
	ways = append(ways,
		way{"integers", 1, func(p *engine.Payment) ([]Row, error) {
			return integers.Rows(integers.Quote(p, engine.DefaultLimit)), nil
		}},
		way{"strings", 1, func(p *engine.Payment) ([]Row, error) {
			return rowsOfBundles(strings.Quote(p, engine.DefaultLimit)), nil
		}})
	if k.catalogue.Bundles > ListBundles {
		return ways, nil
	}
	programs, err := NewPrograms(c)
	return append(ways, way{"programs", 1, func(p *engine.Payment) ([]Row, error) {
		return rowsOfBundles(programs.Quote(p, engine.DefaultLimit)), nil
	}}), err
}
