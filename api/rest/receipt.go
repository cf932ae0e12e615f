package rest

import (
	"context"
	"strings"

	"gec/api/receipt"
)

// feesOnReceipt serves a call of the calculator whose header wants a receipt or gives one back. It is beside the
// way of a plain quote, which does not know of receipts.
func (a *API) feesOnReceipt(x *exchange, c contract, given string) error {
	w := a.calculator.work.Get().(*work)
	// Not deferred: after a panic the work is left to the garbage collector, whatever state it is in.
	text, err := a.onReceipt(x, w, c, given)
	a.calculator.work.Put(w)
	if err != nil {
		return err
	}
	if text != "" {
		x.w.Header()[headerReceipt] = []string{text}
	}
	x.quoted()
	return nil
}

// onReceipt puts the answer into x and returns the receipt that goes with it: a new one, or the one given.
func (a *API) onReceipt(x *exchange, w *work, c contract, given string) (text string, err error) {
	ctx, now := x.r.Context(), a.options.Now()
	options, err := w.ask(x.body, &x.query, c, now, &x.facts)
	if err != nil {
		return "", err
	}
	request := receipt.Request{Contract: receipt.V2, Payment: &w.decoder.payment, Options: options}
	if c == contractV1 {
		request.Contract = receipt.V1
	}
	if strings.EqualFold(given, receipt.Wanted) {
		return a.giveReceipt(ctx, x, w, c, &request)
	}
	taken, snapshot, err := a.options.Receipts.Take(ctx, given, &request)
	if err != nil {
		return "", err
	}
	w.decoder.payment.At = taken.At
	options.Seed, options.SeedGiven = taken.Seed, true
	if x.out, x.outcome, err = a.calculator.quote(w, snapshot, x.out[:0], c, options, &x.facts); err != nil {
		return "", err
	}
	return given, taken.Confirm(x.out)
}

// giveReceipt answers on the current snapshot and returns the receipt of that; none where none can be given.
func (a *API) giveReceipt(ctx context.Context, x *exchange, w *work, c contract, q *receipt.Request) (text string, err error) {
	desk := a.options.Receipts
	open := desk.Open(ctx)
	snapshot := a.calculator.snapshot()
	if snapshot == nil {
		return "", notReady()
	}
	if x.out, x.outcome, err = a.calculator.quote(w, snapshot, x.out[:0], c, q.Options, &x.facts); err != nil || !open {
		return "", err
	}
	return desk.Give(ctx, q, receipt.Given{
		Revision: x.outcome.Revision, At: q.Payment.At, Seed: x.outcome.Seed, Body: x.out,
	}), nil
}
