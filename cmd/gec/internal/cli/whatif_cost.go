package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"gec/bundles/whatif"
	"gec/cmd/gec/internal/text"
)

// printCost writes what bearing a share would cost.
func printCost(w io.Writer, c *whatif.Cost) error {
	fmt.Fprintf(w, "%s on %s, revision %d\n\n", text.Printable(c.CreditorInstitution), c.Day, c.Revision)
	columns := []text.Column{
		{Title: "CATEGORY"}, {Title: "PAYMENTS", Right: true}, {Title: "NOW €", Right: true}, {Title: "EXPECTED €", Right: true},
		{Title: "AT MOST €", Right: true}, {Title: "PAYERS SAVE €", Right: true},
	}
	line := func(name string, l *whatif.Line) []string {
		return []string{name, fmt.Sprint(l.Payments), text.Euro(l.NowCents), text.Euro(l.ExpectedCents), text.Euro(l.AtMostCents), text.Euro(l.PayersSaveCents)}
	}
	var rows [][]string
	for n := range c.ByCategory {
		name := c.ByCategory[n].TransferCategory
		if name == "" {
			name = "none"
		}
		rows = append(rows, line(name, &c.ByCategory[n]))
	}
	return text.Table(w, width(w), columns, append(rows, line("all", &c.Total)))
}

// printValue writes a value as indented JSON.
func printValue(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
