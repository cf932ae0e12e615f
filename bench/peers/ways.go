package main

import (
	"fmt"

	"gec/bench"
	"gec/engine"
)

// way answers payments on one catalogue. What it returns is valid until the next call.
type way func(*engine.Payment) ([]*engine.Bundle, error)

// ways lists all there are, that of the service first, and the largest catalogue that each answers in
// bearable time.
var ways = []struct {
	name       string
	bundlesMax int
	make       func(*bench.Catalogue) (way, error)
}{
	{"this engine", 51_300, newIndexed},
	{"expr, one program a bundle", 51_300, newExpr},
	{"CEL, one program a bundle", 51_300, newCEL},
	{"OPA, one rule a bundle", 5_130, newRules},
	{"OPA, bundles as data", 5_130, newData},
	{"Grule, one rule a bundle", 5_130, newGrule},
}

// newIndexed is the engine that is served.
func newIndexed(c *bench.Catalogue) (way, error) {
	snapshot, err := c.Snapshot()
	if err != nil {
		return nil, err
	}
	quoter := engine.NewQuoter()
	var rows []*engine.Bundle
	return func(p *engine.Payment) ([]*engine.Bundle, error) {
		answer, err := quoter.Quotes(snapshot, p, engine.Options{Order: engine.OrderFee})
		if err != nil {
			return nil, err
		}
		rows = rows[:0]
		for i := range answer.Quotes {
			rows = append(rows, answer.Quotes[i].Bundle)
		}
		return rows, nil
	}, nil
}

// checkAnswers asserts that all ways give the rows of the first for every payment, and that there are some.
func checkAnswers(all []way, payments []engine.Payment) error {
	compared := 0
	for i := range payments {
		want, err := all[0](&payments[i])
		if err != nil {
			return err
		}
		compared += len(want)
		for n, other := range all[1:] {
			got, err := other(&payments[i])
			if err != nil {
				return fmt.Errorf("payment %d: %s: %w", i, ways[n+1].name, err)
			}
			if d := difference(got, want); d != "" {
				return fmt.Errorf("payment %d: %s: %s", i, ways[n+1].name, d)
			}
		}
	}
	if compared == 0 {
		return fmt.Errorf("no payment has an answer: nothing was compared")
	}
	return nil
}

func difference(got, want []*engine.Bundle) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d rows instead of %d", len(got), len(want))
	}
	for i := range got {
		if got[i].ID != want[i].ID {
			return fmt.Sprintf("row %d is %s instead of %s", i, got[i].ID, want[i].ID)
		}
	}
	return ""
}
