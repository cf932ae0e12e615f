package condition

import (
	"strings"
	"testing"
	"unicode"

	"github.com/expr-lang/expr/parser"
	"pgregory.net/rapid"
)

// TestE2AllowListAlone gives the allow-list trees that the scanner would never have let expr
// build: each of the two layers holds without the other.
func TestE2AllowListAlone(t *testing.T) {
	bounds := limits{nodes: NodesMax, listItems: ListItemsMax}
	for _, source := range []string{
		"amount + 1 > 5", "amount - 1 > 5", "amount * 2 > 5", "amount / 2 > 5", "amount % 2 == 0", "amount ** 2 > 5", "amount ^ 2 > 5",
		"-amount < 5", "+amount > 5", "amount > -1", "amount > 1.5", "amount > 1e3", `"a" + "b" == touchpoint`,
		"len(touchpoint) > 3", "count(1..1000000, true) > 5", "all([1], # > 0)", "map(1..10, #) == [1]", "sum([1]) == 1", "reduce([1], #acc) == 1",
		"filter([1], true) == [1]", "now() == date", `upper(touchpoint) == "IO"`, "foo(1)", "foo", "foo.bar",
		"$env", "$env.amount > 5", `$env["amount"] > 5`, "$env == $env", `"amount" in $env`, "keys($env) == []",
		"touchpoint.Len() > 1", "touchpoint?.x", `touchpoint["x"]`, "touchpoint[0:2] == 'CH'", "(touchpoint).x == 1",
		"let x = amount; x > 5", "onUs; onUs", "if onUs { true } else { false; true }", "amount | foo()",
		"nil", "nil == nil", "amount == nil", "onUs ?? true", `{"a": 1} == {"a": 1}`, "{a: onUs}.a", "[1] == [1]", "[onUs][0]",
		`touchpoint matches "a"`, `touchpoint contains "a"`, `touchpoint not contains "a"`, `touchpoint == b"a"`,
		"1..5", "amount in 1..notices", "amount in [notices]", "amount in amount", `"x" in ecs`, "amount in (1..5)[0:1]",
		"::foo()", "amount in [1.5]", "amount in [nil]", "amount in {a: 1}", "category(touchpoint)", `category("0102100SA").x`,
		"onUs ? [1] : [2]", "onUs ? 1 : 2", "onUs ? true : nil", "not [true]", "!{}", "amount && onUs", "amount",
	} {
		tree, err := parser.Parse(source)
		if err != nil {
			t.Errorf("%s: expr does not parse it, so that it shows nothing: %v", source, err)
			continue
		}
		if refusal := check(tree.Node, bounds); refusal == nil {
			t.Errorf("%s: the allow-list lets it through", source)
		}
	}
}

// TestE3SharedTreesAreCountedAsTheyRun holds that a tree whose parser shares its parts cannot grow
// with each level when it is walked or run.
func TestE3SharedTreesAreCountedAsTheyRun(t *testing.T) {
	source := "amount"
	for range 7 {
		source = "(0 < " + source + " < 9 ? 1 : 2)"
	}
	if _, err := Compile(source + " == 1"); err == nil || !strings.Contains(err.Error(), "at most 512") {
		t.Errorf("%s: %v, want it refused for its nodes", source, err)
	}
}

// TestQuote holds that what generated sources quote comes back as it was, and that what no text may
// hold is refused.
func TestQuote(t *testing.T) {
	evaluator := NewEvaluator()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		program, err := CompileCanonical("touchpoint == " + Quote(want))
		if strings.ContainsFunc(want, func(r rune) bool { return !unicode.IsPrint(r) }) {
			if err == nil {
				t.Fatalf("%q was accepted", want)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		evaluator.Reset(&Facts{Touchpoint: want})
		if holds, err := evaluator.Holds(program, false, false); !holds || err != nil {
			t.Fatalf("%q is not itself: %v, %v", want, holds, err)
		}
	})
}
