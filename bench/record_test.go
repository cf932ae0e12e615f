package bench

import (
	"path/filepath"
	"strings"
	"testing"
)

func recordOf(allocations, ratio float64) Record {
	return Record{Allocations: map[string]float64{"quote/fee/513": allocations}, Ratios: map[string]float64{"a : b": ratio}}
}

func TestCompareFindsLosses(t *testing.T) {
	recorded := recordOf(0, 2)
	for _, c := range []struct {
		name  string
		now   Record
		want  string
		noise bool
	}{
		{"equal", recordOf(0, 2), "", false},
		{"better", recordOf(0, 0.1), "", false},
		{"within the margin", recordOf(0, 2.49), "", false},
		{"beyond the margin", recordOf(0, 2.51), "a : b is 2.51 instead of 2", true},
		{"an allocation in a hundred", recordOf(0.01, 2), "quote/fee/513 allocates 0.01 times instead of 0.00", false},
		{"renamed", Record{Allocations: map[string]float64{"quote/fee/513": 0}, Ratios: map[string]float64{}}, "a : b is recorded but", false},
		{"nothing measured", Record{}, "a : b is recorded but", false},
	} {
		losses := recorded.Compare(c.now, 0.25)
		var got string
		noise := false
		for _, l := range losses {
			got, noise = l.Name+" "+l.What, l.Noise
		}
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" || noise != c.noise {
			t.Errorf("%s: %q, noise %t", c.name, got, noise)
		}
	}
}

func TestAnEmptyRecordIsALoss(t *testing.T) {
	if losses := (Record{}).Compare(recordOf(0, 2), 0.25); len(losses) != 2 {
		t.Errorf("%v", losses)
	}
}

func TestRecordsAreReadAsTheyWereWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "recorded.json")
	if err := recordOf(0.5, 2).Write(file); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(file)
	if err != nil || len(got.Compare(recordOf(0.5, 2), 0)) > 0 || got.Allocations["quote/fee/513"] != 0.5 {
		t.Errorf("%v %v", got, err)
	}
}

// TestEveryRatioHasItsCases keeps Ratios and Cases together.
func TestEveryRatioHasItsCases(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Cases() {
		if names[c.Name] {
			t.Errorf("two cases are called %s", c.Name)
		}
		names[c.Name] = true
	}
	for _, r := range Ratios() {
		if !names[r.Case] || !names[r.Floor] {
			t.Errorf("%s names a case that is not there", r.Name())
		}
	}
}
