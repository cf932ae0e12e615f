package simulator

import (
	"fmt"
	"strings"
)

// graphic is a drawn chart, in the units of its view box.
type graphic struct {
	Width, Height            int
	Left, Right, Top, Bottom int
	// X and Y are the marks of the axes.
	X, Y []tick
	// Paths are the lines, and Dots the points of the asked amount, of the chart's lines in their order; a
	// line that has no fee there has no dot.
	Paths []string
	Dots  []dot
	// Asked is the place of the asked amount, Anchor how its label stands to it.
	Asked  tick
	Anchor string
}

type tick struct {
	At    string
	Label string
}

type dot struct {
	Line int
	X, Y string
}

// The sheet that a chart is drawn on. It is as wide as a phone, so that its letters can be read there.
const (
	sheetWidth, sheetHeight = 400, 250
	sheetLeft, sheetRight   = 42, 378
	sheetTop, sheetBottom   = 26, 216
)

// draw makes the drawing of a chart.
func draw(c *chart, words *lexicon) graphic {
	g := graphic{Width: sheetWidth, Height: sheetHeight, Left: sheetLeft, Right: sheetRight, Top: sheetTop, Bottom: sheetBottom}
	highest := int64(0)
	for _, l := range c.Lines {
		for _, fee := range l.Fees {
			highest = max(highest, fee)
		}
	}
	feeStep := stepFor(max(highest, 1), 5)
	feeMax := (max(highest, 1) + feeStep - 1) / feeStep * feeStep
	x := func(cents int64) string { return place(cents, c.MaxCents, sheetLeft, sheetRight) }
	y := func(fee int64) string { return place(fee, feeMax, sheetBottom, sheetTop) }
	for fee := int64(0); fee <= feeMax; fee += feeStep {
		g.Y = append(g.Y, tick{y(fee), words.Decimal(fee)})
	}
	amountStep := c.MaxCents / 4
	for cents := int64(0); cents <= c.MaxCents; cents += amountStep {
		g.X = append(g.X, tick{x(cents), words.Euro(cents)})
	}
	for i, l := range c.Lines {
		g.Paths = append(g.Paths, outline(c.Amounts, l.Fees, x, y))
		if l.Asked != noFee {
			g.Dots = append(g.Dots, dot{i, x(c.Cents), y(l.Asked)})
		}
	}
	g.Asked = tick{x(c.Cents), words.Money(c.Cents)}
	switch {
	case c.Cents*4 < c.MaxCents:
		g.Anchor = "start"
	case c.Cents*4 > 3*c.MaxCents:
		g.Anchor = "end"
	default:
		g.Anchor = "middle"
	}
	return g
}

// place maps 0 to highest linearly to from to to, with one decimal.
func place(value, highest int64, from, to int) string {
	const tenths = 10
	at := int64(from)*tenths + value*int64(to-from)*tenths/highest
	return fmt.Sprintf("%d.%d", at/tenths, at%tenths)
}

// stepFor returns a round step of cents that divides the range up to highest into at most count parts.
func stepFor(highest, count int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, nice := range []int64{unit, 2 * unit, 5 * unit} {
			if nice*count >= highest && nice >= 10 {
				return nice
			}
		}
	}
}

// outline draws a line through the fees, with gaps where there is none. Points in the middle of a level stretch are
// left out.
func outline(amounts, fees []int64, x, y func(int64) string) string {
	var b strings.Builder
	for i, fee := range fees {
		begins := i == 0 || fees[i-1] == noFee
		ends := i == len(fees)-1 || fees[i+1] == noFee
		switch {
		case fee == noFee:
		case begins:
			fmt.Fprintf(&b, "M%s %s", x(amounts[i]), y(fee))
		case ends || fees[i-1] != fee || fees[i+1] != fee:
			fmt.Fprintf(&b, "L%s %s", x(amounts[i]), y(fee))
		}
	}
	return b.String()
}
