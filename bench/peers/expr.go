package main

import (
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"gec/bench"
	"gec/engine"
)

// newExpr runs one expr program a bundle, with a map of facts and one machine that is used again.
func newExpr(c *bench.Catalogue) (way, error) {
	env := map[string]any{"amount": int64(0), "touchpoint": "", "paymentType": "", "issuer": "", "categories": []string{}}
	d := dialect{"amount", "touchpoint", "paymentType", "issuer", " && ", func(codes string) string {
		return "any(categories, # in [" + codes + "])"
	}}
	programs := make([]*vm.Program, len(c.Bundles))
	for i, b := range c.Bundles {
		var err error
		if programs[i], err = expr.Compile(d.condition(b), expr.Env(env), expr.AsBool()); err != nil {
			return nil, fmt.Errorf("bundle %s: %w", b.ID, err)
		}
	}
	rank, machine := newRanking(), vm.VM{}
	return func(p *engine.Payment) ([]*engine.Bundle, error) {
		f := factsOf(p)
		env["amount"], env["touchpoint"], env["paymentType"], env["issuer"], env["categories"] = f.amount, f.touchpoint, f.paymentType, f.issuer, f.categories
		rank.begin()
		for i, program := range programs {
			holds, err := machine.Run(program, env)
			if err != nil {
				return nil, err
			}
			if holds == true {
				rank.add(c.Bundles[i])
			}
		}
		return rank.answer(), nil
	}, nil
}
