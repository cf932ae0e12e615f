package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hyperjumptech/grule-rule-engine/ast"
	"github.com/hyperjumptech/grule-rule-engine/builder"
	grule "github.com/hyperjumptech/grule-rule-engine/engine"
	"github.com/hyperjumptech/grule-rule-engine/logger"
	"github.com/hyperjumptech/grule-rule-engine/pkg"
	"github.com/sirupsen/logrus"

	"gec/bench"
	"gec/engine"
)

// Facts are the facts of a payment for Grule, which needs exported names.
type Facts struct {
	Amount                          int64
	Touchpoint, PaymentType, Issuer string
	Categories                      []string
}

// AnyOf reports whether one of the payment's categories is among those joined by commas.
func (f *Facts) AnyOf(codes string) bool {
	for _, code := range f.Categories {
		for wanted := range strings.SplitSeq(codes, ",") {
			if code == wanted {
				return true
			}
		}
	}
	return false
}

// newGrule asks for the rules that match, of one rule a bundle.
func newGrule(c *bench.Catalogue) (way, error) {
	logger.SetLogLevel(logger.Level(logrus.ErrorLevel))
	d := dialect{"F.Amount", "F.Touchpoint", "F.PaymentType", "F.Issuer", " && ", func(codes string) string {
		return `F.AnyOf("` + strings.NewReplacer(`"`, "", " ", "").Replace(codes) + `")`
	}}
	var rules strings.Builder
	for i, b := range c.Bundles {
		fmt.Fprintf(&rules, "rule B%d { when %s then Complete(); }\n", i, d.condition(b))
	}
	library := ast.NewKnowledgeLibrary()
	if err := builder.NewRuleBuilder(library).BuildRuleFromResource("fees", "1", pkg.NewBytesResource([]byte(rules.String()))); err != nil {
		return nil, err
	}
	base, err := library.NewKnowledgeBaseInstance("fees", "1")
	if err != nil {
		return nil, err
	}
	rank, rete := newRanking(), grule.NewGruleEngine()
	return func(p *engine.Payment) ([]*engine.Bundle, error) {
		f := factsOf(p)
		context := ast.NewDataContext()
		err := context.Add("F", &Facts{f.amount, f.touchpoint, f.paymentType, f.issuer, f.categories})
		if err != nil {
			return nil, err
		}
		matching, err := rete.FetchMatchingRules(context, base)
		if err != nil {
			return nil, err
		}
		rank.begin()
		for _, rule := range matching {
			i, err := strconv.Atoi(rule.RuleName[1:])
			if err != nil {
				return nil, err
			}
			rank.add(c.Bundles[i])
		}
		return rank.answer(), nil
	}, nil
}
