package condition

import (
	"errors"
	"testing"
)

// addCorpora seeds a fuzz target with both tables, less what is only long.
func addCorpora(f *testing.F) {
	for _, table := range []string{acceptedTable, refusedTable} {
		for i, sample := range readTable(f, table) {
			if len(sample.source) <= 2*SourceBytesMax {
				f.Add(sample.source, uint64(i))
			}
		}
	}
}

// FuzzCondition holds goal 19: no text makes Compile panic or gives another error than an *Error,
// and a condition that is accepted means what the reference says.
func FuzzCondition(f *testing.F) {
	addCorpora(f)
	f.Fuzz(func(t *testing.T, source string, seed uint64) {
		program, err := Compile(source)
		if err != nil {
			checkRefusal(t, source, err)
			return
		}
		meaning := readReference(source)
		evaluator := NewEvaluator()
		for i := range uint64(4) {
			facts, onUs := randomPayment(seed + i)
			evaluator.Reset(&facts)
			got, err := evaluator.Holds(program, onUs, false)
			if want := meaning.value(&facts, onUs).(bool); err != nil || got != want {
				t.Fatalf("%s\nfor %+v, on-us %v: %v, %v; the reference says %v", source, facts, onUs, got, err, want)
			}
		}
	})
}

// FuzzCompile holds the same of canonical sources, whose names and bounds are wider: no panic, and
// what compiles runs without failing.
func FuzzCompile(f *testing.F) {
	addCorpora(f)
	for _, source := range []string{"taxonomyAsked && amex && subscribed", `issuer in ["33111"]`, `admits("a", "b", "c")`, `carries("0102100SA", "x")`, `admits("a", "b")`} {
		f.Add(source, uint64(0))
	}
	f.Fuzz(func(t *testing.T, source string, seed uint64) {
		program, err := CompileCanonical(source)
		if err != nil {
			checkRefusal(t, source, err)
			return
		}
		facts, onUs := randomPayment(seed)
		evaluator := NewEvaluator()
		evaluator.Reset(&facts)
		if _, err := evaluator.Holds(program, onUs, seed%2 == 0); err != nil {
			t.Fatalf("%s: %v", source, err)
		}
	})
}

func checkRefusal(t *testing.T, source string, err error) {
	t.Helper()
	var refusal *Error
	if !errors.As(err, &refusal) || refusal.Column < 1 || refusal.Column > len([]rune(source))+1 || refusal.Reason == "" || refusal.Fix == "" {
		t.Fatalf("%q: %#v is no complete *Error", source, err)
	}
	if refusal.Fix == failure("").Fix {
		t.Fatalf("%q: %v", source, err)
	}
}
