package bundles_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/engine"
)

// TestA9ExportIsTakenInAsItWas holds that the export of a catalogue, strictly imported into an empty one,
// changes nothing: dates that are past or open by now stay what they are.
func TestA9ExportIsTakenInAsItWas(t *testing.T) {
	from, to := newCatalogue(t), newCatalogue(t)
	d := seed()
	for i := range d.Bundles {
		d.Bundles[i].Validity = engine.Period{From: 20200101 * engine.Date(i%2)}
	}
	mustImport(t, from, d, asItIs(bundles.ImportMerge))
	exported, err := from.Export(t.Context(), tester, 0)
	if err != nil {
		t.Fatal(err)
	}
	if exported.Export == nil || exported.Export.Revision != 1 || !exported.Export.At.Equal(from.Head().At) {
		t.Fatalf("the export says %+v", exported.Export)
	}
	mustImport(t, to, exported, bundles.ImportOptions{})
	again, err := to.Export(t.Context(), tester, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range exported.Bundles {
		if diff := cmp.Diff(exported.Bundles[i].Bundle, again.Bundles[i].Bundle); diff != "" {
			t.Error(diff)
		}
	}
	if report := mustImport(t, to, exported, bundles.ImportOptions{}); report.Unchanged != len(exported.Bundles) {
		t.Errorf("taken in again: %+v", report)
	}
}
