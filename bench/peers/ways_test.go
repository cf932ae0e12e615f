package main

import (
	"testing"

	"gec/bench"
)

// TestWaysAgree holds that all ways give the same answers on a whole list.
func TestWaysAgree(t *testing.T) {
	c := bench.Generate(bench.List(bench.ListBundles))
	var all []way
	for _, w := range ways {
		answer, err := w.make(c)
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		all = append(all, answer)
	}
	if err := checkAnswers(all, c.Payments(16, bench.Mix{Card: true})); err != nil {
		t.Error(err)
	}
}
