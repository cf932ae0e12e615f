package condition

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// payment is one of the payments that the accepted conditions are asked for.
type payment struct {
	facts Facts
	onUs  bool
}

func at(text string) Local {
	when, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return localOf(when)
}

// payments are A to F of testdata/accepted.txt.
func payments() []payment {
	saturday := Facts{
		AmountCents: 5000, Notices: 1, Transfers: 2, Touchpoint: "CHECKOUT", PaymentType: "CP",
		ECs: []string{"77777777777"}, Categories: []string{"0201102IM", "0102100SA"}, TaxonomyAsked: true, Local: at("2026-11-21 10:30"),
	}
	easterMonday := Facts{
		AmountCents: 125_000, Notices: 3, Transfers: 5, DigitalStamps: 2, Touchpoint: "PSP", PaymentType: "PPAY",
		ECs: []string{"77777777777", "00000000001"}, Categories: []string{"0102101SA"}, TaxonomyAsked: true, Local: at("2026-04-06 00:00"),
	}
	lastMinute := Facts{
		AmountCents: 1, Notices: 1, Touchpoint: "ANY", PaymentType: "ANY",
		ECs: []string{"12345678901"}, Local: at("2026-12-31 23:59"),
	}
	sanFrancesco := Facts{
		AmountCents: 100_000_000_00, Notices: 1, Transfers: 1, DigitalStamps: 1, Touchpoint: "IO", PaymentType: "BP",
		ECs: []string{"00000000001"}, Categories: []string{"0102100IM"}, TaxonomyAsked: true, Local: at("2026-10-04 08:00"),
	}
	yearBefore := Facts{
		AmountCents: 5000, Notices: 1, Transfers: 1, Touchpoint: "CHECKOUT", PaymentType: "CP",
		ECs: []string{"77777777777"}, Categories: []string{"0102100SA"}, TaxonomyAsked: true, Local: at("2025-10-04 20:00"),
	}
	return []payment{{saturday, false}, {saturday, true}, {easterMonday, false}, {lastMinute, false}, {sanFrancesco, true}, {yearBefore, false}}
}

// answers runs a program on the payments A to F.
func answers(t testing.TB, p *Program) string {
	t.Helper()
	var out strings.Builder
	evaluator := NewEvaluator()
	for _, payment := range payments() {
		evaluator.Reset(&payment.facts)
		holds, err := evaluator.Holds(p, payment.onUs, false)
		if err != nil {
			t.Fatalf("%s: %v", p.Source(), err)
		}
		out.WriteByte("-T"[btoi(holds)])
	}
	return out.String()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestE2Accepted runs every condition of the table, and asks the reference for the same.
func TestE2Accepted(t *testing.T) {
	checkTable(t, acceptedTable, func(t *testing.T, source string) string {
		program, err := Compile(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			return err.Error()
		}
		if program.Source() != source {
			t.Errorf("Source() = %q, want %q", program.Source(), source)
		}
		var want strings.Builder
		for _, payment := range payments() {
			holds := readReference(source).value(&payment.facts, payment.onUs).(bool)
			want.WriteByte("-T"[btoi(holds)])
		}
		got := answers(t, program)
		if got != want.String() {
			t.Errorf("%s: program %s, reference %s", source, got, want.String())
		}
		return got
	})
}

// TestE3Refused holds goal 17: every expression of the corpus is refused with a column, a reason
// and a fix, within 4 MiB. Its time is BenchmarkRefused's to tell.
func TestE3Refused(t *testing.T) {
	const bytesMax = 4 << 20
	corpus := 0
	checkTable(t, refusedTable, func(t *testing.T, source string) string {
		corpus++
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		program, err := Compile(source)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > bytesMax {
			t.Errorf("%d bytes allocated, want at most %d", used, bytesMax)
		}
		var refusal *Error
		if program != nil || !errors.As(err, &refusal) {
			t.Errorf("%.80q: accepted, error %v; want an *Error", source, err)
			return "accepted"
		}
		if refusal.Column < 1 || refusal.Column > len([]rune(source))+1 || refusal.Reason == "" || refusal.Fix == "" {
			t.Errorf("%.80q: incomplete error %+v", source, refusal)
		}
		if len(err.Error()) > 512 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%.80q: message is long or not on one printable line: %q", source, err)
		}
		return err.Error()
	})
	if corpus < 200 {
		t.Errorf("corpus of %d, want 200 or more (goal 17)", corpus)
	}
}

// TestE2ProgramsMeanWhatTheReferenceSays compares random conditions with the reference.
func TestE2ProgramsMeanWhatTheReferenceSays(t *testing.T) {
	evaluator := NewEvaluator()
	rapid.Check(t, func(t *rapid.T) {
		want := drawCondition(t, 4)
		source := want.write(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "way") })
		if read := readReference(source); read.String() != want.String() {
			t.Fatalf("the reference reads %s as %s, not %s", source, read, want)
		}
		program, err := Compile(source)
		var refusal *Error
		if errors.As(err, &refusal) && (strings.Contains(refusal.Reason, "at most") || strings.Contains(refusal.Reason, "nested deeper")) {
			t.Skip("larger than a condition may be")
		}
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		for range 8 {
			facts, onUs := randomPayment(rapid.Uint64().Draw(t, "payment"))
			evaluator.Reset(&facts)
			got, err := evaluator.Holds(program, onUs, false)
			if want := want.value(&facts, onUs).(bool); err != nil || got != want {
				t.Fatalf("%s\nfor %+v, on-us %v: %v, %v; the reference says %v", source, facts, onUs, got, err, want)
			}
		}
	})
}

// TestE1NamesIgnoreCase holds that touchpoints and payment types are compared as Q2 and Q3 do.
func TestE1NamesIgnoreCase(t *testing.T) {
	evaluator := NewEvaluator()
	evaluator.Reset(&Facts{Touchpoint: "Wisp", PaymentType: "CP"})
	for _, source := range []string{
		`touchpoint == "WISP"`, `touchpoint == "wisp"`, `"wiSp" == touchpoint`, `touchpoint in ["IO", "wisp"]`,
		`touchpoint startsWith "wi"`, `touchpoint endsWith "sp"`, `paymentType == (onUs ? "cp" : "PPAL")`, `paymentType != "ppal"`,
	} {
		program, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		if holds, err := evaluator.Holds(program, true, true); !holds || err != nil {
			t.Errorf("%s: %v, %v", source, holds, err)
		}
	}
}
