package simulator

import (
	"slices"
	"time"

	"gec/engine"
)

// week is the lowest fee of the question at every hour of seven days.
type week struct {
	Days []weekDay
	// Bands are the parts of the day in which no day's lowest fee changes.
	Bands []weekBand
	// Lowest and Highest are those of all cells.
	Lowest, Highest int64
}

type weekDay struct {
	Date    engine.Date
	Weekday int
}

// weekBand is a part of the day, FromMinute <= t < ToMinute.
type weekBand struct {
	FromMinute, ToMinute int
	// Cents has the lowest fee of each day, noFee where no PSP serves the payment.
	Cents []int64
	// Now says of each day whether the asked instant lies in the cell.
	Now []bool
}

// levels is the number of colours of the map.
const levels = 5

// Level returns the colour of a fee, 0 for the lowest to levels-1 for the highest.
func (w *week) Level(cents int64) int {
	if w.Highest == w.Lowest {
		return 0
	}
	return int((cents - w.Lowest) * (levels - 1) / (w.Highest - w.Lowest))
}

// week asks the lowest fee at all times of the seven days from the asked one. It returns nil where it is the same
// at all times. Errors as [engine.Quoter.Quotes].
func (p *quoters) week(d *directory, q *question, at time.Time, zone *time.Location) (*week, error) {
	if !d.timed {
		return nil, nil
	}
	w := &week{Lowest: engine.FeeCentsMax, Highest: noFee}
	asked := engine.LocalAt(at)
	year, month, day := at.In(zone).Date()
	for i := range 7 {
		local := engine.LocalAt(time.Date(year, month, day+i, 12, 0, 0, 0, zone))
		w.Days = append(w.Days, weekDay{local.Date, local.Weekday})
	}
	for e, from := range d.edges {
		band := weekBand{FromMinute: from, ToMinute: minutesPerDay, Cents: make([]int64, 7), Now: make([]bool, 7)}
		if e+1 < len(d.edges) {
			band.ToMinute = d.edges[e+1]
		}
		for i := range band.Cents {
			lowest, err := p.lowest(d, q, time.Date(year, month, day+i, from/60, from%60, 0, 0, zone))
			if err != nil {
				return nil, err
			}
			band.Cents[i] = lowest
			if lowest != noFee {
				w.Lowest, w.Highest = min(w.Lowest, lowest), max(w.Highest, lowest)
			}
		}
		w.add(band)
	}
	if !w.varies() {
		return nil, nil
	}
	for i := range w.Bands {
		if b := &w.Bands[i]; b.FromMinute <= asked.Minute && asked.Minute < b.ToMinute {
			b.Now[0] = true
		}
	}
	return w, nil
}

// varies reports whether any two cells differ.
func (w *week) varies() bool {
	first := w.Bands[0].Cents[0]
	return slices.ContainsFunc(w.Bands, func(b weekBand) bool {
		return slices.ContainsFunc(b.Cents, func(cents int64) bool { return cents != first })
	})
}

// add puts a band after the last one, or makes that longer where nothing changes.
func (w *week) add(b weekBand) {
	if last := len(w.Bands) - 1; last >= 0 && slices.Equal(w.Bands[last].Cents, b.Cents) {
		w.Bands[last].ToMinute = b.ToMinute
		return
	}
	w.Bands = append(w.Bands, b)
}

// lowest returns the lowest fee of the question at an instant.
func (p *quoters) lowest(d *directory, q *question, at time.Time) (cents int64, err error) {
	payment := d.payment(q, at)
	types := d.typesOf(q.Way)
	if q.Way == "" {
		types = []string{""}
	}
	cents = noFee
	for _, payment.PaymentType = range types {
		err := p.ask(d.snapshot, payment, engine.Options{Order: engine.OrderFee, Limit: 1}, func(a *engine.Answer) {
			if len(a.Quotes) > 0 && (cents == noFee || a.Quotes[0].NetCents < cents) {
				cents = a.Quotes[0].NetCents
			}
		})
		if err != nil {
			return 0, err
		}
	}
	return cents, nil
}
