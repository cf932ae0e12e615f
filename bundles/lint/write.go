package lint

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteText writes one finding a line and then how many there are of each rule:
//
//	warning hole ABI14156 B-50: minPaymentAmount is 50.01 €, …; set it to 5000, which is 50.00 €
//
// Errors: those of w.
func WriteText(w io.Writer, findings []Finding) error {
	var text strings.Builder
	for i := range findings {
		f := &findings[i]
		fmt.Fprintf(&text, "%s %s %s %s: %s\n", f.Severity, f.Rule, visible(f.PSP), visible(f.Bundle), f.sentence())
	}
	text.WriteString(summary(findings) + "\n")
	_, err := io.WriteString(w, text.String())
	return err
}

// sentence is the field, what is wrong with it and what would be right.
func (f *Finding) sentence() string {
	text := f.Field + " " + f.Message
	if f.Rule == Overlap || f.Rule == NeverWins || f.Rule == Gap || f.Rule == FallingFee {
		text = f.Field + ": " + f.Message
	}
	if f.Fix != "" {
		text += "; " + f.Fix
	}
	return visible(text)
}

// visible replaces what could forge lines of a terminal or a log; ids of lenient imports may hold it.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || 0x80 <= r && r < 0xA0 {
			return '\uFFFD'
		}
		return r
	}, text)
}

// summary counts the findings by rule.
func summary(findings []Finding) string {
	if len(findings) == 0 {
		return "nothing found"
	}
	var parts []string
	for _, rule := range Rules() {
		if n := Count(findings, rule); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, rule))
		}
	}
	return fmt.Sprintf("%d found: %s", len(findings), strings.Join(parts, ", "))
}

// Count returns how many findings of a rule there are.
func Count(findings []Finding, rule Rule) (n int) {
	for i := range findings {
		if findings[i].Rule == rule {
			n++
		}
	}
	return n
}

// jsonFinding is a finding as JSON; amounts of bands are in cents, by their wire names.
type jsonFinding struct {
	Rule     Rule      `json:"rule"`
	Severity Severity  `json:"severity"`
	PSP      string    `json:"idPsp"`
	Bundle   string    `json:"idBundle"`
	Other    string    `json:"otherIdBundle,omitempty"`
	Field    string    `json:"field"`
	Message  string    `json:"message"`
	Fix      string    `json:"fix,omitempty"`
	Mended   *jsonBand `json:"mended,omitempty"`
}

type jsonBand struct {
	MinCents int64 `json:"minPaymentAmount"`
	MaxCents int64 `json:"maxPaymentAmount"`
}

// MarshalJSON writes the finding as an element of the list of [WriteJSON].
func (f Finding) MarshalJSON() ([]byte, error) {
	j := jsonFinding{Rule: f.Rule, Severity: f.Severity, PSP: f.PSP, Bundle: f.Bundle, Other: f.Other, Field: f.Field, Message: f.Message, Fix: f.Fix}
	if f.Mended != nil {
		j.Mended = &jsonBand{f.Mended.MinCents, f.Mended.MaxCents}
	}
	return json.Marshal(j)
}

// WriteJSON writes {"findings": […], "counts": {rule: number}}; rules without findings are not counted.
// Errors: those of w.
func WriteJSON(w io.Writer, findings []Finding) error {
	counts := map[Rule]int{}
	for i := range findings {
		counts[findings[i].Rule]++
	}
	return encode(w, struct {
		Findings []Finding    `json:"findings"`
		Counts   map[Rule]int `json:"counts"`
	}{append([]Finding{}, findings...), counts})
}

func encode(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
