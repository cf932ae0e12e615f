package bench

import (
	"fmt"

	"gec/engine"
)

// Row is a row of an answer, as far as every way can tell it.
type Row struct {
	Bundle     string
	Gross, Net int64
	OnUs       bool
}

// rowsOf reads the rows of the engine's answer.
func rowsOf(a *engine.Answer) []Row {
	rows := make([]Row, len(a.Quotes))
	for i := range a.Quotes {
		q := &a.Quotes[i]
		rows[i] = Row{Bundle: q.Bundle.ID, Gross: q.GrossCents, Net: q.NetCents, OnUs: q.OnUs}
	}
	return rows
}

// difference says in what two answers differ, nothing when they are equal.
func difference(got, want []Row) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d rows instead of %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if g.Bundle != w.Bundle || g.Gross != w.Gross || g.Net != w.Net || g.OnUs != w.OnUs {
			return fmt.Sprintf("row %d is %+v instead of %+v", i, g, w)
		}
	}
	return ""
}
