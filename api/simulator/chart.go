package simulator

import (
	"slices"
	"strings"
	"time"

	"gec/engine"
)

// chart is the fee of a few PSPs as the amount grows, everything else as asked.
type chart struct {
	// Cents is the asked amount, MaxCents the largest shown.
	Cents, MaxCents int64
	// Amounts are those at which the fees were asked, ascending: round ones, and both sides of every cent at
	// which a fee may jump.
	Amounts []int64
	Lines   []line
	// Rows are the same fees as a table.
	Rows []chartRow
	// Graphic is the drawing.
	Graphic graphic
}

// line is the fee of one PSP.
type line struct {
	PSP, Name string
	// Fees are the net fees in cents, one per amount of the chart; noFee where the PSP asks none because it
	// does not serve the payment.
	Fees []int64
	// Asked is the fee of the asked amount.
	Asked int64
}

// noFee stands where a PSP has no quote.
const noFee = -1

// chartRow is a range of amounts, both ends included, over which no line changes, with their fees.
type chartRow struct {
	FromCents, ToCents int64
	Fees               []int64
	// Asked says that the asked amount is in it.
	Asked bool
}

// The number of amounts that a chart asks fees for: evenly spread ones, for fees that grow with the amount, and at
// most so many jumps.
const (
	chartSamples  = 40
	chartJumpsMax = 150
)

// charted returns the PSPs of the chart: those chosen, else three of the list, of different fees as far as there are,
// so that no line hides another.
func charted(q *question, a *answer) (psps []string) {
	if len(q.Chart) > 0 {
		return q.Chart
	}
	const first = 3
	fees := map[int64]bool{}
	take := func(again bool) {
		for i := range a.Rows {
			r := &a.Rows[i]
			if len(psps) < first && (again || !fees[r.NetCents]) && !slices.ContainsFunc(psps, func(s string) bool { return strings.EqualFold(s, r.Bundle.PSP) }) {
				psps, fees[r.NetCents] = append(psps, r.Bundle.PSP), true
			}
		}
	}
	take(false)
	take(true)
	return psps
}

// chart asks the fees of the charted PSPs over the amounts up to a few times the asked one. It returns nil without
// PSPs. Errors as [engine.Quoter.Quotes].
func (p *quoters) chart(d *directory, q *question, a *answer, at time.Time, words *lexicon) (*chart, error) {
	psps := charted(q, a)
	if len(psps) == 0 {
		return nil, nil
	}
	c := &chart{Cents: q.Cents()}
	c.MaxCents = niceAbove(c.Cents * 3)
	c.Amounts = chartAmounts(d, psps, c.Cents, c.MaxCents, int64(len(q.Notices)))
	payment := d.payment(q, at)
	for _, psp := range psps {
		c.Lines = append(c.Lines, line{PSP: psp, Name: a.nameOf(psp, d), Fees: make([]int64, len(c.Amounts))})
		payment.PSPs = append(payment.PSPs, engine.PSPFilter{PSP: psp})
	}
	types := d.typesOf(q.Way)
	if q.Way == "" {
		types = []string{""} // the best of all types at once
	}
	for i, cents := range c.Amounts {
		setAmount(payment, cents)
		for j := range c.Lines {
			c.Lines[j].Fees[i] = noFee
		}
		for _, payment.PaymentType = range types {
			if err := p.ask(d.snapshot, payment, engine.Options{Order: engine.OrderFee}, func(a *engine.Answer) { c.lower(i, a) }); err != nil {
				return nil, err
			}
		}
	}
	asked, _ := slices.BinarySearch(c.Amounts, c.Cents)
	for j := range c.Lines {
		c.Lines[j].Asked = c.Lines[j].Fees[asked]
	}
	c.Rows = c.rows()
	c.Graphic = draw(c, words)
	return c, nil
}

// nameOf returns the name that a PSP has in the list, else its usual one.
func (a *answer) nameOf(psp string, d *directory) string {
	for i := range a.Rows {
		if strings.EqualFold(a.Rows[i].Bundle.PSP, psp) {
			return a.Rows[i].Name
		}
	}
	return d.psps[psp]
}

// setAmount gives the cart another sum. How it is spread over the notices makes no difference to a fee.
func setAmount(p *engine.Payment, cents int64) {
	for i := range p.Notices {
		p.Notices[i].AmountCents = 1
	}
	p.Notices[0].AmountCents = cents - int64(len(p.Notices)-1)
}

// lower takes the quotes of one amount in, keeping of each PSP the lowest.
func (c *chart) lower(i int, a *engine.Answer) {
	for k := range a.Quotes {
		quote := &a.Quotes[k]
		for j := range c.Lines {
			if l := &c.Lines[j]; strings.EqualFold(l.PSP, quote.Bundle.PSP) && (l.Fees[i] == noFee || quote.NetCents < l.Fees[i]) {
				l.Fees[i] = quote.NetCents
			}
		}
	}
}

// chartAmounts returns the amounts to ask fees for, from lowest (one cent per notice) to highest.
func chartAmounts(d *directory, psps []string, asked, highest, lowest int64) []int64 {
	amounts := []int64{lowest, asked, highest}
	for i := int64(1); i < chartSamples; i++ {
		amounts = append(amounts, max(lowest, highest*i/chartSamples))
	}
	jumps := 0
	for _, psp := range psps {
		for _, cents := range d.steps[psp] {
			if cents >= lowest && cents < highest && jumps < chartJumpsMax {
				amounts = append(amounts, cents, cents+1)
				jumps++
			}
		}
	}
	slices.Sort(amounts)
	return slices.Compact(amounts)
}

// niceAbove returns the first of 50 €, 100 €, 200 €, 500 €, 1000 € and so on that is not below the amount.
func niceAbove(cents int64) int64 {
	for unit := int64(5_000); ; unit *= 10 {
		for _, nice := range []int64{unit, 2 * unit, 4 * unit} {
			if nice >= cents {
				return nice
			}
		}
	}
}

// rows returns the chart as ranges of amounts with the same fees.
func (c *chart) rows() (rows []chartRow) {
	for i, cents := range c.Amounts {
		fees := make([]int64, len(c.Lines))
		for j := range c.Lines {
			fees[j] = c.Lines[j].Fees[i]
		}
		if last := len(rows) - 1; last >= 0 && slices.Equal(rows[last].Fees, fees) {
			rows[last].ToCents = cents
		} else {
			rows = append(rows, chartRow{FromCents: cents, ToCents: cents, Fees: fees})
		}
		rows[len(rows)-1].Asked = rows[len(rows)-1].Asked || cents == c.Cents
	}
	return rows
}
