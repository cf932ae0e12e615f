package whatif

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// Yield is what a sample of payments brings the PSP, without its drafts and with them. Payers are taken to
// choose the lowest net fee, and by chance among equals.
type Yield struct {
	Audience Audience `json:"audience"`
	// Payments is the number of those in the sample.
	Payments int64    `json:"payments"`
	Before   Earnings `json:"before"`
	After    Earnings `json:"after"`
	// Moved are the payments for which the PSP answers with another bundle than before.
	Moved []Moved `json:"moved"`
}

// Earnings are what a sample brings.
type Earnings struct {
	// Quoted is the number of payments for which the PSP has a row, Won of those for which it alone asks
	// the lowest net fee, Tied of those for which others ask the same.
	Quoted int64 `json:"quoted"`
	Won    int64 `json:"won"`
	Tied   int64 `json:"tied"`
	// FeesWonCents are the gross fees of those won.
	FeesWonCents int64 `json:"feesWonCents"`
	// ExpectedPaymentsMilli is the number of payments to expect, in thousandths, with the PSP's fair share
	// of the ties; ExpectedFeesCents their gross fees.
	ExpectedPaymentsMilli int64 `json:"expectedPaymentsMilli"`
	ExpectedFeesCents     int64 `json:"expectedFeesCents"`
}

// Moved counts payments that go from one bundle of the PSP to another; empty: it has no row.
type Moved struct {
	From     string `json:"fromIdBundle,omitempty"`
	To       string `json:"toIdBundle,omitempty"`
	Payments int64  `json:"payments"`
}

// tally adds up payments and cents by the number of those that share them.
type tally map[int64]*struct{ payments, cents int64 }

func (t tally) add(share, payments, cents int64) {
	if t[share] == nil {
		t[share] = &struct{ payments, cents int64 }{}
	}
	t[share].payments += payments
	t[share].cents += cents * payments
}

// expected returns the fair share, rounded once: the payments in thousandths, and the cents.
func (t tally) expected() (milli, cents int64) {
	var payments, money big.Rat
	for _, share := range slices.Sorted(maps.Keys(t)) {
		payments.Add(&payments, big.NewRat(t[share].payments*1000, share))
		money.Add(&money, big.NewRat(t[share].cents, share))
	}
	return halfEven(&payments), halfEven(&money)
}

// halfEven rounds a number of 0 or more to the nearest whole one, halves to the even one.
func halfEven(r *big.Rat) int64 {
	whole, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	twice := rest.Lsh(rest, 1).Cmp(r.Denom())
	if twice > 0 || twice == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	return whole.Int64()
}

// yield computes what a sample brings.
func (w *world) yield(ctx context.Context, psp string, day engine.Date, sample []Payment) (Yield, error) {
	y := Yield{Audience: w.audience, Moved: []Moved{}}
	ask := newAsking()
	before, after := tally{}, tally{}
	moved := map[[2]string]int64{}
	for n := range sample {
		if err := ctx.Err(); err != nil {
			return y, err
		}
		p, count := sample[n].on(day, ""), sample[n].number()
		y.Payments += count
		from, err := y.Before.add(ask, w.before, psp, p, count, before)
		if err != nil {
			return y, named(err, n)
		}
		to, err := y.After.add(ask, w.after, psp, p, count, after)
		if err != nil {
			return y, named(err, n)
		}
		if from != to {
			moved[[2]string{from, to}] += count
		}
	}
	y.Before.ExpectedPaymentsMilli, y.Before.ExpectedFeesCents = before.expected()
	y.After.ExpectedPaymentsMilli, y.After.ExpectedFeesCents = after.expected()
	for pair, count := range moved {
		y.Moved = append(y.Moved, Moved{From: pair[0], To: pair[1], Payments: count})
	}
	slices.SortFunc(y.Moved, func(a, b Moved) int { return strings.Compare(a.From+"\x00"+a.To, b.From+"\x00"+b.To) })
	return y, nil
}

// add counts one kind of payment, and returns the bundle that the PSP answers with, empty for none.
func (e *Earnings) add(ask asking, s *engine.Snapshot, psp string, p *engine.Payment, count int64, t tally) (bundle string, err error) {
	rows, err := ask.quotes(s, p)
	if err != nil {
		return "", err
	}
	own, _, _ := standing(rows, psp)
	if !own.Quoted {
		return "", nil
	}
	e.Quoted += count
	if own.Rank == 1 {
		t.add(int64(own.Tied)+1, count, own.GrossCents)
		if own.Tied == 0 {
			e.Won += count
			e.FeesWonCents += count * own.GrossCents
		} else {
			e.Tied += count
		}
	}
	return own.Bundle, nil
}

// named turns the error of a payment of the sample into a fault of its place.
func named(err error, n int) error {
	var (
		unknown *engine.UnknownNameError
		invalid *engine.InvalidPaymentError
	)
	switch {
	case errors.As(err, &unknown) && unknown.Kind == "touchpoint":
		return bundles.Faults{{Path: fmt.Sprintf("sample[%d].touchpoint", n), Reason: bundles.Excerpt(unknown.Name) + " is not registered", Fix: "name one that is, or leave it out"}}
	case errors.As(err, &unknown):
		return bundles.Faults{{Path: fmt.Sprintf("sample[%d].paymentType", n), Reason: bundles.Excerpt(unknown.Name) + " is not registered", Fix: "name one that is, or leave it out"}}
	case errors.As(err, &invalid):
		return bundles.Faults{{Path: fmt.Sprintf("sample[%d]", n), Reason: invalid.Error()}}
	}
	return err
}
