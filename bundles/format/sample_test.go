package format

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/whatif"
)

func TestSample(t *testing.T) {
	payment := whatif.Payment{AmountCents: 123450, Touchpoint: "IO", PaymentType: "CP", Count: 3}
	for name, text := range map[string]string{
		"Italian CSV":   "\xEF\xBB\xBFAmount;touchpoint;paymentType;count\r\n1.234,50;IO;CP;3\r\n\r\n",
		"CSV of commas": "count,amount,touchpoint,paymentType\n3,\"1,234.50\",IO,CP",
		"cents":         "amountCents\ttouchpoint\tpaymentType\tcount\n123450\tIO\tCP\t3\n",
		"JSON lines":    `{"amountCents": 123450, "touchpoint": "IO", "paymentType": "CP", "count": 3}` + "\n",
		"JSON list":     `[{"amountCents": 123450, "touchpoint": "IO", "paymentType": "CP", "count": 3}]`,
	} {
		got, err := ReadSample(strings.NewReader(text))
		if diff := cmp.Diff([]whatif.Payment{payment}, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	for name, c := range map[string]struct {
		text, path string
		line       int
	}{
		"an unknown column":        {"amount;hat\n1;2", "", 1},
		"no amount":                {"touchpoint\nIO", "", 1},
		"two amounts":              {"amount;amountCents\n1;100", "", 1},
		"an amount of thousands":   {"amount\n1\n1.234\n", "amount", 3},
		"a fraction of a cent":     {"amount\n1,005\n", "amount", 2},
		"a count that is none":     {"amount;count\n1;many\n", "count", 2},
		"an amount that is absent": {"amount;count\n;1\n", "amount", 2},
		"cells too many":           {"amount\n1;2\n", "", 2},
		"an unknown field":         {`{"amountCents": 1}` + "\n" + `{"cents": 1}`, "", 2},
		"a broken line":            {`{"amountCents": 1}` + "\n" + `{"amountCents": `, "", 2},
		"nothing":                  {"", "", 0},
	} {
		_, err := ReadSample(strings.NewReader(c.text))
		var faults bundles.Faults
		if !errors.As(err, &faults) || faults[0].Path != c.path || c.line > 0 && faults[0].Line != c.line {
			t.Errorf("%s: %v %+v", name, err, faults)
		}
	}
}

func FuzzSample(f *testing.F) {
	f.Add("amount;count\n1,50;2\n")
	f.Add(`{"amountCents": 1}`)
	f.Add("[]")
	f.Fuzz(func(t *testing.T, text string) {
		sample, err := ReadSample(strings.NewReader(text))
		var faults bundles.Faults
		if err != nil && (!errors.As(err, &faults) || len(faults) == 0) {
			t.Fatal(err)
		}
		if err != nil && sample != nil && len(faults) == 0 {
			t.Fatal("a sample and an error")
		}
	})
}
