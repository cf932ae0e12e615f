package condition

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

func mustCompile(t testing.TB, source string) *Program {
	t.Helper()
	program, err := CompileCanonical(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return program
}

// TestE4CanonicalNames runs what only canonical programs ask.
func TestE4CanonicalNames(t *testing.T) {
	filter := func(psp, channel, broker string) bool { return psp == "PSP1" && channel == "CH" && broker == `b"\` }
	tests := []struct {
		source           string
		facts            Facts
		onUs, subscribed bool
		want             bool
	}{
		{source: "taxonomyAsked", facts: Facts{TaxonomyAsked: true}, want: true},
		{source: "taxonomyAsked"},
		{source: `issuer == ""`, want: true},
		{source: `issuer == "33111"`, facts: Facts{Issuer: "33111"}, want: true},
		{source: "amex", facts: Facts{Amex: true}, want: true},
		{source: "amex"},
		{source: "subscribed", subscribed: true, want: true},
		{source: "subscribed", onUs: true},
		{source: "onUs", onUs: true, want: true},
		{source: "onUs", subscribed: true},
		{source: `admits("PSP1", "CH", "B")`, want: true},
		{source: `admits("PSP1", "CH", ` + Quote(`b"\`) + `)`, facts: Facts{Admits: filter}, want: true},
		{source: `admits("PSP2", "CH", "B")`, facts: Facts{Admits: filter}},
		{source: `carries("0102100SA")`, facts: Facts{Categories: []string{"0201102IM", "0102100SA"}}, want: true},
		{source: `carries("0102100S")`, facts: Facts{Categories: []string{"0102100SA"}}},
		{source: `carries("0102100SA", "0201102IM")`, facts: Facts{Categories: []string{"0201102IM"}}, want: true},
		{source: `not taxonomyAsked || carries("0102100SA")`, want: true},
	}
	evaluator := NewEvaluator()
	for _, test := range tests {
		evaluator.Reset(&test.facts)
		if got, err := evaluator.Holds(mustCompile(t, test.source), test.onUs, test.subscribed); got != test.want || err != nil {
			t.Errorf("%s for %+v, on-us %v, subscribed %v: %v, %v, want %v", test.source, test.facts, test.onUs, test.subscribed, got, err, test.want)
		}
	}
}

// TestQ14FailureIsAnError holds that a failing program gives an error and no panic, and leaves the
// evaluator fit for the next.
func TestQ14FailureIsAnError(t *testing.T) {
	failing := mustCompile(t, `amount > 1 && admits("P", "C", "B")`)
	sound := mustCompile(t, "amount == 5")
	evaluator := NewEvaluator()
	evaluator.Reset(&Facts{AmountCents: 5, Admits: func(string, string, string) bool { panic("filter broke") }})
	for range 3 {
		holds, err := evaluator.Holds(failing, true, true)
		if holds || !errors.Is(err, ErrFailed) || !strings.Contains(err.Error(), "filter broke") {
			t.Errorf("failing program: %v, %v; want false and ErrFailed that says why", holds, err)
		}
		if holds, err := evaluator.Holds(sound, true, true); !holds || err != nil {
			t.Errorf("the next program: %v, %v; want true", holds, err)
		}
	}
	if holds, err := evaluator.Holds(nil, true, true); holds || !errors.Is(err, ErrFailed) {
		t.Errorf("nil program: %v, %v; want false and ErrFailed", holds, err)
	}
}

// TestResetTakesAllOfTheNewPayment holds that nothing of an earlier payment is left.
func TestResetTakesAllOfTheNewPayment(t *testing.T) {
	evaluator := NewEvaluator()
	empty := mustCompile(t, `amount == 0 && notices == 0 && transfers == 0 && digitalStamps == 0 && ecs == 0 && categories == 0 &&
		touchpoint == "" && paymentType == "" && date not in ["2026-11-21"] && weekday == 0 && hour == 0 && minute == 0 && month == 0 && day == 0 &&
		not taxonomyAsked && issuer == "" && not amex && not onUs && not subscribed && not ec("77777777777") && not category("0*") && not carries("0102100SA") &&
		not weekend() && not holiday() && time("00:00", "00:01") && admits("P", "C", "B")`)
	if holds, err := evaluator.Holds(empty, false, false); !holds || err != nil {
		t.Fatalf("new evaluator: %v, %v, want the empty payment", holds, err)
	}
	for _, payment := range payments() {
		payment.facts.Admits = func(string, string, string) bool { return false }
		payment.facts.Issuer, payment.facts.Amex = "33111", true
		evaluator.Reset(&payment.facts)
		if holds, _ := evaluator.Holds(empty, true, true); holds {
			t.Errorf("%+v taken for the empty payment", payment.facts)
		}
		// Fill what is computed on demand, so that it would show if it were kept.
		if holds, err := evaluator.Holds(mustCompile(t, `ec("77777777777") || category("0*") || true`), true, true); !holds || err != nil {
			t.Fatal(err)
		}
		evaluator.Reset(nil)
		if holds, err := evaluator.Holds(empty, false, false); !holds || err != nil {
			t.Errorf("after Reset(nil): %v, %v, want the empty payment", holds, err)
		}
	}
}

// costly are the dearest conditions that are accepted, each all of one kind and written so that it
// runs to its end and is true for largePayment if on-us (goal 18). No part is a constant, which
// would be folded away with all that it decides.
func costly() map[string]string {
	fill := func(part, join, end string) string {
		source := part
		for {
			longer := source + join + part
			if _, err := Compile(longer + join + end); err != nil {
				return source + join + end
			}
			source = longer
		}
	}
	return map[string]string{
		"numbers":        fill("day<99", "&&", "onUs"),
		"rows":           fill("0<day<99", "&&", "onUs"),
		"chain":          "0<1" + strings.Repeat("<=day", 127),
		"texts":          fill(`touchpoint!="CHECKOUT_CART"`, "&&", "onUs"),
		"starts":         fill(`date startsWith"2026-11-2"`, "&&", "onUs"),
		"ends":           fill(`date endsWith"11-21"`, "&&", "onUs"),
		"number lists":   fill("day in[1,21]", "&&", "onUs"),
		"text lists":     fill(`date in["2026-11-21"]`, "&&", "onUs"),
		"short lists":    fill(`touchpoint in["A"]`, "||", "onUs"),
		"long list":      `day not in[` + strings.Repeat("1,", 255) + "1]" + strings.Repeat("&&day not in[1]", 60),
		"ranges":         fill("day in 1..99", "&&", "onUs"),
		"categories":     fill(`category("9*")`, "||", "onUs"),
		"whole codes":    fill(`category("0102100SZ")`, "||", "onUs"),
		"ecs":            fill(`ec("77777777778")`, "||", "onUs"),
		"times":          fill(`time("08:00","20:00")`, "&&", "onUs"),
		"nights":         fill(`time("20:00","11:00")`, "&&", "onUs"),
		"holidays":       fill("holiday()", "||", "onUs"),
		"weekends":       fill("weekend()", "&&", "onUs"),
		"equal booleans": "onUs" + strings.Repeat("==onUs", 255),
		"nots":           fill("!!!!!!!!!!!!!onUs", "||", "onUs"),
		"ternaries":      fill("(onUs?day:hour)>0", "&&", "onUs"),
		"text ternaries": fill(`(onUs?date:date)!=""`, "&&", "onUs"),
	}
}

// largePayment has as many ECs and codes as a cart has room for, at Easter, when holiday has the
// most to do.
func largePayment() *Facts {
	f := &Facts{AmountCents: 123_456_789, Notices: 5, Transfers: 25, Touchpoint: "CHECKOUT_CARS", PaymentType: "PPAY", TaxonomyAsked: true, Local: at("2026-11-21 10:30")}
	f.Local.Month = 4
	for i := range 25 {
		f.Categories = append(f.Categories, strings.Repeat("0", 6)+string(rune('0'+i%10))+"S"+string(rune('Z'-i)))
		f.ECs = append(f.ECs, "777777777"+string(rune('0'+i%10))+string(rune('0'+i/10)))
	}
	return f
}

const typical = `amount > 5000 && touchpoint in ["CHECKOUT", "CHECKOUT_CART", "IO"] && not holiday() && time("08:00", "20:00")`

// TestE3NoAllocations holds the second half of goal 18: neither a new payment nor any accepted
// program allocates, whatever the payment's values are.
func TestE3NoAllocations(t *testing.T) {
	sources := costly()
	sources["typical"] = typical
	sources["canonical"] = `amount > 5000 && amount <= 100000 && (touchpoint == "IO" || touchpoint == "ANY") && not onUs && subscribed && admits("PSP", "CH", "B") && (not taxonomyAsked || carries("0102100SA")) || true`
	payment := largePayment()
	names := []string{"CHECKOUT", "IO", "ANY"}
	evaluator := NewEvaluator()
	for name, source := range sources {
		program := mustCompile(t, source)
		n := 0
		allocations := testing.AllocsPerRun(100, func() {
			n++
			payment.AmountCents, payment.Touchpoint = int64(n*100_000), names[n%len(names)]
			payment.Local.Minute, payment.Transfers = n%60, 1000+n
			evaluator.Reset(payment)
			if _, err := evaluator.Holds(program, n%2 == 0, n%3 == 0); err != nil {
				t.Fatal(err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations a run, want none", name, allocations)
		}
	}
}

// TestE4ProgramsAreShared runs one program on many goroutines, each with its own evaluator; the
// race detector looks on.
func TestE4ProgramsAreShared(t *testing.T) {
	programs := []*Program{mustCompile(t, typical), mustCompile(t, `category("0*") and ec("77777777777") and amount in [5000, 1]`)}
	want := make([]string, len(programs))
	for i, program := range programs {
		want[i] = answers(t, program)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			evaluator := NewEvaluator()
			for range 200 {
				for i, program := range programs {
					for j, payment := range payments() {
						evaluator.Reset(&payment.facts)
						if holds, err := evaluator.Holds(program, payment.onUs, false); err != nil || holds != (want[i][j] == 'T') {
							t.Errorf("%s: %v, %v", program.Source(), holds, err)
						}
					}
				}
			}
		})
	}
	group.Wait()
}

// TestInPlace holds what inPlace assumes of the runtime: that an interface value made by it has
// its type's type word, and shows each change, also after the garbage collector has run.
func TestInPlace(t *testing.T) {
	v := new(struct {
		number int
		flag   bool
		text   string
	})
	number, flag, text := inPlace(&v.number), inPlace(&v.flag), inPlace(&v.text)
	for _, n := range []int{0, 1, 255, 256, -1, 1 << 62} {
		v.number, v.flag, v.text = n, n%2 == 0, strings.Repeat("x", n&0xff)
		if grow(1000) == 0 { // moves the stack
			t.Fatal("nothing grew")
		}
		if number.(int) != n || flag.(bool) != v.flag || text.(string) != v.text {
			t.Errorf("in place: %v, %v, %v; want %+v", number, flag, text, *v)
		}
		if copied := number; copied != any(n) {
			t.Errorf("a copy is %v, want %v", copied, n)
		}
	}
}

// grow makes garbage and moves the stack, either of which would show a lost pointer.
func grow(depth int) int {
	if depth == 0 {
		return 0
	}
	return len(make([]byte, depth)) + grow(depth-1)
}
