package condition

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr/vm"
)

// Local is the civil time in Europe/Rome of a payment's instant. Package engine computes it, so
// that no clock and no time zone is read here.
type Local struct {
	Year         int    // such as 2026
	Month, Day   int    // 1–12, 1–31
	Weekday      int    // 1 Monday to 7 Sunday
	Hour, Minute int    // 0–23, 0–59
	Date         string // the day as conditions see it, "2026-11-21"
}

// Facts is what programs see of one payment (E1) and, for canonical programs, what the engine
// established about it.
type Facts struct {
	AmountCents   int64  // the sum of the notices, in euro cents, 0 or more
	Notices       int    // how many
	Transfers     int    // of all notices together
	DigitalStamps int    // how many of the transfers are digital stamps
	Touchpoint    string // any case; "ANY" when the payment names none
	PaymentType   string // any case; "ANY" when the payment names none

	ECs        []string // distinct tax codes of the cart, in any order
	Categories []string // distinct bare taxonomy codes of the transfers, in any order

	TaxonomyAsked bool   // false only when there are no transfers at all (Q5, method search)
	Issuer        string // ABI of the card's issuer, upper case; "" when unknown (Q10)
	Amex          bool   // the issuer's ABI is the one configured for AMEX (Q11)
	Local         Local

	// Admits applies the PSP filter (Q4), the operator's block list and the exclusion of Poste
	// (Q9); nil admits all. Only canonical programs ask.
	Admits func(psp, channel, broker string) bool
}

// Evaluator runs programs against one payment. It is not for concurrent use and must not be
// copied; callers pool it. After warm-up neither Reset nor Holds allocates.
type Evaluator struct {
	machine     vm.VM
	environment map[string]any
	seen        values
	facts       *Facts

	// Sorted copies, made when the payment is first asked for them.
	ecs, categories             []string
	ecsSorted, categoriesSorted bool
}

// values are what the environment's map shows in place, so that a new payment or bundle is a few
// stores and the map is never written after it was made.
type values struct {
	amount, notices, transfers, digitalStamps, ecs, categories int
	weekday, hour, minute, month, day                          int
	touchpoint, paymentType, date, issuer                      string
	onUs, taxonomyAsked, amex, subscribed                      bool
}

// An amount must fit the int that programs compare: this does not build where int is narrower.
const _ int = math.MaxInt64

// memoryBudget is what the machine lets a program build, in elements. Accepted programs build
// nothing, as lists and ranges are constants; should one ever try, it fails instead of costing.
const memoryBudget = 1

// NewEvaluator returns an evaluator for the empty payment; see Reset.
func NewEvaluator() *Evaluator {
	e := &Evaluator{machine: vm.VM{MemoryBudget: memoryBudget}, facts: new(Facts)}
	v := &e.seen
	e.environment = map[string]any{
		"amount": inPlace(&v.amount), "notices": inPlace(&v.notices), "transfers": inPlace(&v.transfers),
		"digitalStamps": inPlace(&v.digitalStamps), "ecs": inPlace(&v.ecs), "categories": inPlace(&v.categories),
		"touchpoint": inPlace(&v.touchpoint), "paymentType": inPlace(&v.paymentType),
		"date": inPlace(&v.date), "weekday": inPlace(&v.weekday), "hour": inPlace(&v.hour), "minute": inPlace(&v.minute),
		"month": inPlace(&v.month), "day": inPlace(&v.day),
		"onUs": inPlace(&v.onUs), "subscribed": inPlace(&v.subscribed),
		"taxonomyAsked": inPlace(&v.taxonomyAsked), "issuer": inPlace(&v.issuer), "amex": inPlace(&v.amex),
		// The types of these are among those that expr calls without reflection or allocation.
		"category": e.category, "ec": e.ec, "time": e.time, "weekend": e.weekend, "holiday": e.holiday,
		"admits": e.admits, "carries": e.carries,
	}
	return e
}

// Reset takes a new payment. f and its slices are read until the next Reset and must not change
// before it; nil is the empty payment.
func (e *Evaluator) Reset(f *Facts) {
	if f == nil {
		f = new(Facts)
	}
	e.facts = f
	e.ecsSorted, e.categoriesSorted = false, false
	e.seen = values{
		amount: int(f.AmountCents), notices: f.Notices, transfers: f.Transfers, digitalStamps: f.DigitalStamps,
		ecs: len(f.ECs), categories: len(f.Categories),
		weekday: f.Local.Weekday, hour: f.Local.Hour, minute: f.Local.Minute, month: f.Local.Month, day: f.Local.Day,
		touchpoint: strings.ToUpper(f.Touchpoint), paymentType: strings.ToUpper(f.PaymentType), date: f.Local.Date, issuer: strings.ToUpper(f.Issuer),
		taxonomyAsked: f.TaxonomyAsked, amex: f.Amex,
	}
}

// Holds runs a program against the payment and one bundle: whether the bundle is on-us for the
// payer's card, and whether all ECs have subscribed to it (Q6; only canonical programs ask). An
// error wraps ErrFailed and means that the bundle does not apply (Q14); it never panics.
func (e *Evaluator) Holds(p *Program, onUs, subscribed bool) (holds bool, err error) {
	// The machine recovers what its programs panic with; this is for a panic of the machine's own.
	defer func() {
		if r := recover(); r != nil {
			holds, err = false, fmt.Errorf("%w: %v", ErrFailed, r)
		}
	}()
	e.seen.onUs, e.seen.subscribed = onUs, subscribed
	result, err := e.machine.Run(p.compiled, e.environment)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return result.(bool), nil
}

// category reports whether one of the payment's codes is the pattern's, or begins with it. Codes
// that begin with a prefix follow it in order, so that one search finds them.
func (e *Evaluator) category(argument any) bool {
	pattern := argument.(codePattern)
	codes := e.sortedCategories()
	at, found := slices.BinarySearch(codes, pattern.code)
	return found || pattern.prefix && at < len(codes) && strings.HasPrefix(codes[at], pattern.code)
}

// carries reports whether the payment has one of the codes (Q5).
func (e *Evaluator) carries(argument any) bool {
	codes := e.sortedCategories()
	for _, code := range argument.(codeList) {
		if _, found := slices.BinarySearch(codes, code); found {
			return true
		}
	}
	return false
}

func (e *Evaluator) ec(argument any) bool {
	if !e.ecsSorted {
		e.ecs, e.ecsSorted = sortedInto(e.ecs, e.facts.ECs), true
	}
	_, found := slices.BinarySearch(e.ecs, string(argument.(taxCode)))
	return found
}

func (e *Evaluator) sortedCategories() []string {
	if !e.categoriesSorted {
		e.categories, e.categoriesSorted = sortedInto(e.categories, e.facts.Categories), true
	}
	return e.categories
}

// sortedInto copies and sorts, reusing the space of buffer.
func sortedInto(buffer, from []string) []string {
	buffer = append(buffer[:0], from...)
	slices.Sort(buffer)
	return buffer
}

// time reports whether the time of day lies in a span (Q13's rule, on the payment's clock alone).
func (e *Evaluator) time(argument any) bool {
	at, wanted := e.seen.hour*60+e.seen.minute, argument.(span)
	if wanted.to > wanted.from {
		return wanted.from <= at && at < wanted.to
	}
	return wanted.from <= at || at < wanted.to
}

func (e *Evaluator) weekend() bool { return e.seen.weekday >= 6 }

func (e *Evaluator) holiday() bool {
	return isHoliday(e.facts.Local.Year, e.seen.month, e.seen.day)
}

func (e *Evaluator) admits(argument any) bool {
	wanted := argument.(admission)
	return e.facts.Admits == nil || e.facts.Admits(wanted.psp, wanted.channel, wanted.broker)
}
