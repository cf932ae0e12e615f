package bundles_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/engine"
)

// TestA8Diff holds what two revisions differ in, for whom, and that what was changed back is no difference.
func TestA8Diff(t *testing.T) {
	w := newTown(t)
	start := w.Head().Revision
	w.author(draft("a", engine.Global, 100), draft("b", engine.Public, 90))
	authored := w.Head().Revision
	change := func(id string, fee int64) {
		t.Helper()
		kind := engine.Global
		if id == "b" {
			kind = engine.Public
		}
		if _, _, err := w.ChangeBundle(t.Context(), bank(bankOne), bankOne, id, draft(id, kind, fee), nil, bundles.AuthorOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	change("a", 80)
	changed := w.Head().Revision
	change("b", 70)
	change("b", 90)
	end := w.Head().Revision

	fee := []bundles.FieldDiff{{Field: "paymentAmount", Before: "100", After: "80"}}
	for _, test := range []struct {
		name     string
		caller   bundles.Caller
		from, to int64
		want     map[string][]bundles.FieldDiff // nil: only that the bundle was not there before
	}{
		{"nothing", tester, end, end, map[string][]bundles.FieldDiff{}},
		{"from the empty catalogue", tester, 0, authored, map[string][]bundles.FieldDiff{"a": nil, "b": nil}},
		{"what was added", bank(bankOne), start, authored, map[string][]bundles.FieldDiff{"a": nil, "b": nil}},
		{"a fee", bank(bankOne), authored, changed, map[string][]bundles.FieldDiff{"a": fee}},
		{"changed and changed back", bank(bankOne), authored, end, map[string][]bundles.FieldDiff{"a": fee}},
		{"an auditor", bundles.Caller{Name: "auditor", Auditor: true}, authored, end, map[string][]bundles.FieldDiff{"a": fee}},
		{"another PSP", bank(bankTwo), start, end, map[string][]bundles.FieldDiff{}},
		{"nobody", bundles.Caller{}, start, end, map[string][]bundles.FieldDiff{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			diffs, err := w.Diff(t.Context(), test.caller, test.from, test.to)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]bundles.FieldDiff{}
			for _, d := range diffs {
				if got[d.ID] = d.Fields; d.Before == nil {
					got[d.ID] = nil
				}
				if d.PSP != bankOne || d.After == nil || len(d.Fields) == 0 {
					t.Errorf("%+v", d)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	var faults bundles.Faults
	if _, err := w.Diff(t.Context(), tester, end, start); !errors.As(err, &faults) || faults[0].Path != "from" {
		t.Errorf("from is after to: %v", err)
	}
	if _, err := w.Diff(t.Context(), tester, start, end+1); !errors.Is(err, bundles.ErrNotFound) {
		t.Errorf("a revision that is not there: %v", err)
	}
}
