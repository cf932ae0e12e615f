package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"gec/bench"
	"gec/engine"
)

// newRules evaluates a policy with one rule a bundle.
func newRules(c *bench.Catalogue) (way, error) {
	d := dialect{"input.amount", "input.touchpoint", "input.paymentType", "input.issuer", "\n\t", func(codes string) string {
		return "some code in input.categories\n\tcode in {" + codes + "}"
	}}
	var policy strings.Builder
	policy.WriteString("package fees\n\n")
	for i, b := range c.Bundles {
		fmt.Fprintf(&policy, "applies contains %d if {\n\t%s\n}\n\n", i, d.condition(b))
	}
	return newPolicy(c, policy.String(), nil)
}

// newData evaluates a policy of one rule, over the bundles as data.
func newData(c *bench.Catalogue) (way, error) {
	const policy = `package fees

applies contains i if {
	some i, b in data.bundles
	input.amount > b.min
	input.amount <= b.max
	b.touchpoint in {"ANY", input.touchpoint}
	b.paymentType in {"", input.paymentType}
	b.onUs == (input.issuer == b.abi)
	suits(b)
}

suits(b) if count(b.categories) == 0

suits(b) if {
	some code in input.categories
	code in b.categories
}
`
	bundles := make([]any, len(c.Bundles))
	for i, b := range c.Bundles {
		codes := []any{}
		for _, code := range b.TransferCategories {
			codes = append(codes, code)
		}
		bundles[i] = map[string]any{
			"min": b.Band.MinCents, "max": b.Band.MaxCents, "touchpoint": b.Touchpoint, "paymentType": b.PaymentType,
			"onUs": b.OnUs, "abi": b.ABI, "categories": codes,
		}
	}
	return newPolicy(c, policy, map[string]any{"bundles": bundles})
}

// newPolicy evaluates a policy whose set applies holds the numbers of the bundles that do.
func newPolicy(c *bench.Catalogue, policy string, data map[string]any) (way, error) {
	ctx := context.Background()
	options := []func(*rego.Rego){rego.Query("x = data.fees.applies"), rego.Module("fees.rego", policy)}
	if data != nil {
		options = append(options, rego.Store(inmem.NewFromObject(data)))
	}
	query, err := rego.New(options...).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	rank := newRanking()
	return func(p *engine.Payment) ([]*engine.Bundle, error) {
		f := factsOf(p)
		input, err := ast.InterfaceToValue(map[string]any{
			"amount": f.amount, "touchpoint": f.touchpoint, "paymentType": f.paymentType, "issuer": f.issuer, "categories": f.categories,
		})
		if err != nil {
			return nil, err
		}
		results, err := query.Eval(ctx, rego.EvalParsedInput(input))
		if err != nil {
			return nil, err
		}
		rank.begin()
		for _, number := range results[0].Bindings["x"].([]any) {
			i, err := number.(interface{ Int64() (int64, error) }).Int64()
			if err != nil {
				return nil, err
			}
			rank.add(c.Bundles[i])
		}
		return rank.answer(), nil
	}, nil
}
