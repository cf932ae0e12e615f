package cli

import (
	"encoding/json"
	"testing"
)

// The list of a PSP's bundles says every part of a fee (F1, F2).
func TestListedFee(t *testing.T) {
	for fee, want := range map[string]string{
		`{"flat":50,"perNotice":20,"bps":125,"min":60,"max":900}`: "0.50 + 0.20/notice + 1.25%, 0.60 to 9.00",
		`{"bps":20}`:              "0.20%",
		`{"max":5}`:               "0.00, at most 0.05",
		`{"min":5}`:               "0.00, at least 0.05",
		`{"steps":[{},{}]}`:       "2 steps",
		`{"flat":7,"steps":[{}]}`: "0.07 + 1 step",
	} {
		var f listedFee
		if err := json.Unmarshal([]byte(fee), &f); err != nil || f.String() != want {
			t.Errorf("%s: %q, want %q (%v)", fee, f.String(), want, err)
		}
	}
}
