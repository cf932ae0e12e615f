package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestA10LintOfTheFeeList lints the published list, mends it, and lints what came of it: no hole is left but
// the one that another bundle of the PSP fills.
func TestA10LintOfTheFeeList(t *testing.T) {
	list, mended := feeListFile(t), filepath.Join(t.TempDir(), "mended.json")
	r := gec(t, "lint", "--format", "feelist", list, "--mend", mended)
	if r.code != 1 || !strings.Contains(r.stdout, "331 found: 33 overlap, 255 hole, 4 gap, 38 never-wins, 1 falling-fee") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	if want := "513 bundles with 254 bands mended"; !strings.Contains(r.stderr, want) {
		t.Errorf("%q does not say %q", r.stderr, want)
	}
	if r := must(t, "lint", "--format", "feelist", mended, "--rule", "hole"); !strings.Contains(r.stdout, "1 found: 1 hole") {
		t.Error(r.stdout)
	}
	data := t.TempDir()
	must(t, "import", "--data", data, "--format", "feelist", list)
	r = must(t, "lint", "--data", data, "--rule", "gap", "--psp", "BPMOIT22", "--output-format", "json")
	var findings struct{ Findings []struct{ IDBundle string } }
	if err := json.Unmarshal([]byte(r.stdout), &findings); err != nil || len(findings.Findings) != 1 || findings.Findings[0].IDBundle != "BPMOIT22-CP-ANY-30000" {
		t.Errorf("%v: %s", err, r.stdout)
	}
}
