package main

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"gec/bench"
	"gec/engine"
)

// newCEL runs one CEL program a bundle.
func newCEL(c *bench.Catalogue) (way, error) {
	env, err := cel.NewEnv(
		cel.Variable("amount", cel.IntType), cel.Variable("touchpoint", cel.StringType), cel.Variable("paymentType", cel.StringType),
		cel.Variable("issuer", cel.StringType), cel.Variable("categories", cel.ListType(cel.StringType)),
	)
	if err != nil {
		return nil, err
	}
	d := dialect{"amount", "touchpoint", "paymentType", "issuer", " && ", func(codes string) string {
		return "categories.exists(c, c in [" + codes + "])"
	}}
	programs := make([]cel.Program, len(c.Bundles))
	for i, b := range c.Bundles {
		ast, issues := env.Compile(d.condition(b))
		if err := issues.Err(); err != nil {
			return nil, fmt.Errorf("bundle %s: %w", b.ID, err)
		}
		if programs[i], err = env.Program(ast, cel.EvalOptions(cel.OptOptimize)); err != nil {
			return nil, fmt.Errorf("bundle %s: %w", b.ID, err)
		}
	}
	rank, values := newRanking(), map[string]any{}
	return func(p *engine.Payment) ([]*engine.Bundle, error) {
		f := factsOf(p)
		values["amount"], values["touchpoint"], values["paymentType"], values["issuer"], values["categories"] = f.amount, f.touchpoint, f.paymentType, f.issuer, f.categories
		activation, err := cel.NewActivation(values)
		if err != nil {
			return nil, err
		}
		rank.begin()
		for i, program := range programs {
			holds, _, err := program.Eval(activation)
			if err != nil {
				return nil, err
			}
			if holds == types.True {
				rank.add(c.Bundles[i])
			}
		}
		return rank.answer(), nil
	}, nil
}
