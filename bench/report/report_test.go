package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// written writes a report of one row with that ratio and returns its file.
func written(t *testing.T, name string, ratio float64) string {
	t.Helper()
	r := report{}
	r.goal(goal{What: "calls", Goal: "≥ 0.90 × floor", Measured: "9 /s", Floor: "10 /s", Ratio: ratio, Met: verdict(ratio >= 0.9)})
	file := filepath.Join(t.TempDir(), name)
	if err := r.write(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRunsAgreeOnTheirRatios(t *testing.T) {
	a, b, c := written(t, "a", 0.90), written(t, "b", 1.00), written(t, "c", 0.70)
	if err := agree(io.Discard, []string{a, b}); err != nil {
		t.Errorf("5 %% apart: %v", err)
	}
	if err := agree(io.Discard, []string{a, b, c}); err == nil || !strings.Contains(err.Error(), "calls") {
		t.Errorf("0.70 and 1.00 agree: %v", err)
	}
	if err := agree(io.Discard, []string{a}); err == nil {
		t.Error("one run agrees with nothing")
	}
}

func TestDocumentsTakeTheGoalsOfARun(t *testing.T) {
	r, err := readReport(written(t, "a", 0.5))
	if err != nil {
		t.Fatal(err)
	}
	document := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(document, []byte("before\n"+docBegin+"\nold\n"+docEnd+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time in place of the first
		if err := r.writeDoc(document); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n", "\nafter\n", "| calls | ≥ 0.90 × floor | 9 /s | 10 /s | 0.50 |  | missed |", "missed: calls: measured 9 /s, beside 10 /s"} {
		if strings.Count(string(text), want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("what was there before is still there")
	}
	if err := os.WriteFile(document, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r.writeDoc(document) == nil {
		t.Error("a document without marks is written to")
	}
}
