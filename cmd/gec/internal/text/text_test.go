package text

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseEuroIsExact(t *testing.T) {
	for text, want := range map[string]int64{
		"25": 2500, "25.00": 2500, "25,00": 2500, "25.5": 2550, "0.01": 1, "0.29": 29, "1000": 100000, "007": 700,
		"92233720368547758.07": math.MaxInt64,
	} {
		if got, err := ParseEuro(text); err != nil || got != want {
			t.Errorf("ParseEuro(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "25.", ".5", "1.000", "1,000.00", "1.000,00", "-1", "+1", "1e3", "25 €", "٣", "92233720368547758.08"} {
		if got, err := ParseEuro(text); err == nil {
			t.Errorf("ParseEuro(%q) = %d, want an error", text, got)
		}
	}
}

func TestEuroAndParseEuroAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.Int64Min(0).Draw(t, "cents")
		if back, err := ParseEuro(Euro(cents)); err != nil || back != cents {
			t.Fatalf("%d is written %q and read %d, %v", cents, Euro(cents), back, err)
		}
	})
	if got := Euro(math.MinInt64); got != "-92233720368547758.08" {
		t.Errorf("smallest amount: %s", got)
	}
}

func table(t *testing.T, width int, rows ...[]string) string {
	t.Helper()
	var out strings.Builder
	columns := []Column{{Title: "PSP", ShrinkTo: 8}, {Title: "FEE", Right: true}, {Title: "BUNDLE", ShrinkTo: 8}}
	if err := Table(&out, width, columns, rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTable(t *testing.T) {
	got := table(t, 0, []string{"Banca È", "0.28", "b-1"}, []string{"X", "10.00", ""})
	want := "PSP        FEE  BUNDLE\n" +
		"Banca È   0.28  b-1\n" +
		"X        10.00\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTableFitsTheWindow(t *testing.T) {
	got := table(t, 32, []string{"Istituto di Pagamento Città Alta", "0.28", "bundle-12345"})
	for _, line := range strings.Split(got, "\n") {
		if n := len([]rune(line)); n > 32 {
			t.Errorf("line of %d columns: %q", n, line)
		}
	}
	if !strings.Contains(got, "…") || !strings.Contains(got, "0.28") {
		t.Errorf("names are cut, amounts are not:\n%s", got)
	}
}

func TestTableShowsNoControlCharacters(t *testing.T) {
	got := table(t, 0, []string{"a\x1b[31mred\nline", "1", "\u202eb"})
	if strings.ContainsAny(got, "\x1b\u202e") || strings.Count(got, "\n") != 2 {
		t.Errorf("%q", got)
	}
}
