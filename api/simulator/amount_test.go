package simulator

import (
	"testing"
)

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]int64{
		"12": 1200, "12,5": 1250, "12.50": 1250, "1234.56": 123456, "1.234,56": 123456, "1,234.56": 123456,
		"1 234,56": 123456, "1\u202f234,56": 123456, "1'234.56": 123456, "1’234,56": 123456, " € 25,00 ": 2500,
		"25 EUR": 2500, "1.234": 123400, "1,234": 123400, "1.234.567": 123456700, "1.234.567,89": 123456789,
		"0,01": 1, ",50": 50, ".5": 50, "0.10": 10, "999999999.99": 99_999_999_999, "007": 700,
	} {
		if got, ok := parseAmount(text); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "0", "0,00", "-5", "+5", "12,", "12.", "1,2,3", "1.2.3", "1.23.456", "1234.567,00", "12,345,6", "1.234,567",
		"12,3456", "1e3", "0x10", "NaN", "dodici", "1000000000", "1000000000000000000000", ".", ",", "1.,5", "٣", "1.2345",
	} {
		if got, ok := parseAmount(text); ok {
			t.Errorf("%q is taken for %d cents", text, got)
		}
	}
}

// FuzzParseAmount holds that an amount that is understood is understood again as the page writes it.
func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"1.234,56", "1234.56", "12", "1,5", "€ 3", "1.234"} {
		f.Add(seed)
	}
	lexicons, err := readLexicons()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cents, ok := parseAmount(text)
		if !ok {
			return
		}
		if cents <= 0 || cents > amountCentsMax {
			t.Fatalf("%q is %d cents", text, cents)
		}
		for _, l := range lexicons {
			for _, written := range []string{l.Decimal(cents), l.Money(cents)} {
				if again, ok := parseAmount(written); !ok || again != cents {
					t.Fatalf("%q is %d cents, written %q and then read as %d, %v", text, cents, written, again, ok)
				}
			}
		}
	})
}
