package whatif

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// Rank is where the PSP stands for one kind of payment, without its drafts and with them.
type Rank struct {
	Audience Audience `json:"audience"`
	// Bundle is the id of the draft that the payment was made up for.
	Bundle           string `json:"idBundle"`
	Touchpoint       string `json:"touchpoint"`
	PaymentType      string `json:"paymentType"`
	AmountCents      int64  `json:"amountCents"`
	OnUs             bool   `json:"onUs"`
	TransferCategory string `json:"transferCategory,omitempty"`
	// Others is the number of other PSPs that are quoted, Cheapest the lowest fee among theirs.
	Others   int      `json:"otherPsps"`
	Cheapest *Rival   `json:"cheapestOther,omitempty"`
	Before   Standing `json:"before"`
	After    Standing `json:"after"`
}

// Rival is another PSP's row.
type Rival struct {
	PSP      string `json:"idPsp"`
	NetCents int64  `json:"netCents"`
}

// Standing is the PSP's own row.
type Standing struct {
	// Quoted says that there is one; without it all else is zero.
	Quoted     bool   `json:"quoted"`
	Bundle     string `json:"idBundle,omitempty"`
	GrossCents int64  `json:"grossCents"`
	NetCents   int64  `json:"netCents"`
	// Rank is 1 more than the number of PSPs that ask less, Tied the number of those that ask the same.
	Rank int `json:"rank,omitempty"`
	Tied int `json:"tied"`
	// GapCents is the PSP's net fee less the lowest one of the others: below 0 it is the cheapest. 0 where
	// nobody else is quoted.
	GapCents int64 `json:"gapCents"`
}

// RanksMax bounds how many kinds of payments are ranked.
const RanksMax = 5000

// roundAmounts are the amounts that drafts are ranked at besides the edges of their bands and steps, cents.
var roundAmounts = [...]int64{10_00, 25_00, 50_00, 100_00, 200_00, 500_00, 1000_00}

// amountsMax bounds the amounts that one draft is ranked at.
const amountsMax = 16

// amountsOf returns the amounts that a draft is ranked at, ascending.
func amountsOf(b *engine.Bundle) []int64 {
	amounts := []int64{b.Band.MinCents + 1, b.Band.MaxCents}
	for n := range b.Fee.Steps {
		if upTo := b.Fee.Steps[n].UpToCents; upTo != nil {
			amounts = append(amounts, *upTo, *upTo+1)
		}
	}
	amounts = append(amounts, roundAmounts[:]...)
	amounts = slices.DeleteFunc(amounts, func(cents int64) bool { return !b.Band.Holds(cents) })
	slices.Sort(amounts)
	amounts = slices.Compact(amounts)
	return amounts[:min(len(amounts), amountsMax)]
}

// ranks ranks the drafts of a world per touchpoint, payment type and amount. The notes say what could not be.
func (w *world) ranks(psp string, day engine.Date, room int) (ranks []Rank, notes []string, err error) {
	ask := newAsking()
	settings := w.after.Settings()
	for _, draft := range w.drafts {
		base, note := w.made(draft, day)
		if note != "" {
			notes = append(notes, note)
			continue
		}
		for _, touchpoint := range registeredOr(draft.Touchpoint, settings.Touchpoints) {
			for _, paymentType := range registeredOr(draft.PaymentType, settings.PaymentTypes) {
				for _, cents := range amountsOf(draft) {
					if len(ranks) == room {
						return ranks, append(notes, fmt.Sprintf("only the first %d kinds of payments are ranked", RanksMax)), nil
					}
					p := base
					p.Touchpoint, p.PaymentType = touchpoint, paymentType
					p.Notices = []engine.Notice{{AmountCents: cents, Transfers: base.Notices[0].Transfers}}
					rank := Rank{
						Audience: w.audience, Bundle: draft.ID, Touchpoint: touchpoint, PaymentType: paymentType, AmountCents: cents,
						OnUs: draft.OnUs, TransferCategory: base.Notices[0].Transfers[0].TransferCategory,
					}
					if err := w.rank(ask, psp, &p, &rank); err != nil {
						return nil, nil, err
					}
					ranks = append(ranks, rank)
				}
			}
		}
	}
	return ranks, notes, nil
}

// made makes up a payment that a draft is for, but for its amount; the note says why there is none.
func (w *world) made(draft *engine.Bundle, day engine.Date) (p engine.Payment, note string) {
	transfer := engine.Transfer{DigitalStamp: draft.DigitalStampOnly}
	if len(draft.TransferCategories) > 0 {
		transfer.TransferCategory = draft.TransferCategories[0]
	}
	p.Notices = []engine.Notice{{Transfers: []engine.Transfer{transfer}}}
	settings := w.after.Settings()
	if slices.ContainsFunc(settings.BlockedPSPs, func(psp string) bool { return strings.EqualFold(psp, draft.PSP) }) {
		return p, fmt.Sprintf("%s is on the block list: none of its bundles is quoted", bundles.Excerpt(draft.PSP))
	}
	minute := scheduled(draft, day)
	if minute < 0 {
		return p, fmt.Sprintf("bundle %s is not offered on %s by its schedule", bundles.Excerpt(draft.ID), day)
	}
	p.At = instant(day, minute)
	if draft.OnUs {
		at := slices.IndexFunc(settings.Issuers, func(r engine.IssuerRange) bool { return strings.EqualFold(r.ABI, draft.ABI) })
		if at < 0 {
			return p, fmt.Sprintf("bundle %s is on-us, and no range of cards is known of ABI %s", bundles.Excerpt(draft.ID), bundles.Excerpt(draft.ABI))
		}
		p.BIN = fmt.Sprintf("%019d", settings.Issuers[at].Low)
	}
	return p, ""
}

// scheduled returns a minute of the day at which a bundle is offered, noon where it is; -1: none.
func scheduled(b *engine.Bundle, day engine.Date) int {
	const noon = 12 * 60
	for n := range 24 * 60 {
		minute := (noon + n) % (24 * 60)
		if b.Schedule == nil || b.Schedule.Holds(engine.LocalAt(instant(day, minute))) {
			return minute
		}
	}
	return -1
}

// rank fills in where the PSP stands for a payment.
func (w *world) rank(ask asking, psp string, p *engine.Payment, r *Rank) error {
	for _, side := range []struct {
		s    *engine.Snapshot
		into *Standing
	}{{w.before, &r.Before}, {w.after, &r.After}} {
		rows, err := ask.quotes(side.s, p)
		if unknown := (*engine.UnknownNameError)(nil); errors.As(err, &unknown) {
			return bundles.Faults{{Path: "day", Reason: unknown.Error() + " in the catalogue of that day", Fix: "use a later day"}}
		}
		if err != nil {
			return err
		}
		*side.into, r.Others, r.Cheapest = standing(rows, psp)
	}
	return nil
}

// standing finds the PSP's row among those of a payment, and the cheapest of the others, the first by the
// order of the rows.
func standing(rows []engine.Quote, psp string) (own Standing, others int, cheapest *Rival) {
	for n := range rows {
		q := &rows[n]
		if strings.EqualFold(q.Bundle.PSP, psp) {
			own = Standing{Quoted: true, Bundle: q.Bundle.ID, GrossCents: q.GrossCents, NetCents: q.NetCents, Rank: 1}
			continue
		}
		if others++; cheapest == nil {
			cheapest = &Rival{PSP: q.Bundle.PSP, NetCents: q.NetCents}
		}
	}
	if !own.Quoted {
		return own, others, cheapest
	}
	for n := range rows {
		switch q := &rows[n]; {
		case strings.EqualFold(q.Bundle.PSP, psp):
		case q.NetCents < own.NetCents:
			own.Rank++
		case q.NetCents == own.NetCents:
			own.Tied++
		}
	}
	if cheapest != nil {
		own.GapCents = own.NetCents - cheapest.NetCents
	}
	return own, others, cheapest
}
