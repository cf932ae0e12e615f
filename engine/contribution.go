package engine

import (
	"math/bits"
	"slices"
	"sort"
)

// noShare says that no attribute of a subscription matches.
const noShare = -1

// cart is what the ECs of a payment have subscribed to: the plan of each, and which of the plan's
// taxonomy codes each of its notices carries.
type cart struct {
	ecs []cartEC
	// carried holds, for every notice in turn, a flag per code of its EC's plan.
	carried []bool
}

type cartEC struct {
	plan    *preparedEC
	notices []cartNotice
	// at is how far the walk over the plan's subscriptions has come.
	at int
}

// cartNotice is one notice of an EC.
type cartNotice struct {
	// codes is where the notice's flags start in cart.carried.
	codes int
	// receives says that one of the notice's transfers goes to the EC.
	receives bool
}

// read looks up the plans of the payment's ECs; subscribed is false when one of them has none, so that
// no bundle but GLOBAL ones without contribution applies (Q6).
func (c *cart) read(q *query) (subscribed bool, err error) {
	c.carried = c.carried[:0]
	c.ecs = slices.Grow(c.ecs[:0], len(q.ecs))[:len(q.ecs)]
	for i, ec := range q.ecs {
		plan, err := q.s.plan(ec)
		if err != nil || plan == nil || len(plan.subscriptions) == 0 {
			return false, err
		}
		e := &c.ecs[i]
		e.plan, e.at, e.notices = plan, 0, e.notices[:0]
		for j := range q.payment.Notices {
			if notice := &q.payment.Notices[j]; notice.CreditorInstitution == ec {
				e.notices = append(e.notices, c.readNotice(plan, notice))
			}
		}
	}
	return true, nil
}

// readNotice notes which of the plan's codes the notice's transfers to the EC itself carry (Q16).
func (c *cart) readNotice(plan *preparedEC, notice *Notice) cartNotice {
	n := cartNotice{codes: len(c.carried)}
	for range plan.codes {
		c.carried = append(c.carried, false)
	}
	for i := range notice.Transfers {
		transfer := &notice.Transfers[i]
		if transfer.CreditorInstitution != notice.CreditorInstitution {
			continue
		}
		n.receives = true
		if code := BareCategory(transfer.TransferCategory); code != "" {
			if k := slices.Index(plan.codes, code); k >= 0 {
				c.carried[n.codes+k] = true
			}
		}
	}
	return n
}

// share returns what an EC declares to bear by one subscription: of each of its notices the largest
// matching attribute, of these the smallest; noShare when a notice has none (Q16). With receiving set,
// a notice of which the EC gets nothing matches no attribute (v1).
func (c *cart) share(e *cartEC, sub *preparedSubscription, receiving bool) int64 {
	smallest := int64(noShare)
	for i := range e.notices {
		n := &e.notices[i]
		largest := int64(noShare)
		for j := range sub.attributes {
			a := &sub.attributes[j]
			if a.code < 0 || c.carried[n.codes+a.code] != a.notEqual {
				largest = max(largest, a.share)
			}
		}
		if largest == noShare || receiving && !n.receives {
			return noShare
		}
		if smallest == noShare || largest < smallest {
			smallest = largest
		}
	}
	return smallest
}

// seek moves the walk of an EC to the subscriptions to a bundle and returns them; the bundles are asked
// for in order of slot.
func (e *cartEC) seek(slot uint32) []preparedSubscription {
	subs := e.plan.subscriptions
	if e.at < len(subs) && subs[e.at].slot < slot {
		e.at += sort.Search(len(subs)-e.at, func(i int) bool { return subs[e.at+i].slot >= slot })
	}
	end := e.at
	for end < len(subs) && subs[end].slot == slot {
		end++
	}
	return subs[e.at:end]
}

// choose returns the subscription of an EC that counts among those to one bundle: of the valid ones the
// one with the largest share, the first by id among equals; nil when none is valid. More than one is
// valid only in catalogues that were taken over as they were.
func (c *cart) choose(e *cartEC, subs []preparedSubscription, date Date, receiving bool) (chosen *preparedSubscription, share int64) {
	share = noShare
	for i := range subs {
		if !subs[i].validity.Holds(date) {
			continue
		}
		if s := c.share(e, &subs[i], receiving); chosen == nil || s > share {
			chosen, share = &subs[i], s
		}
	}
	return chosen, share
}

// split fills in the actual contributions: the declared ones while their sum does not exceed what may
// be borne, else cut in proportion to exactly that sum, by largest remainder, ties in the given order
// (Q17). It returns the sum of the actual ones.
func split(contributions []Contribution, bearable int64) int64 {
	declared := total(contributions)
	if declared.hi == 0 && declared.lo <= uint64(bearable) {
		for i := range contributions {
			contributions[i].ActualCents = contributions[i].DeclaredCents
		}
		return int64(declared.lo)
	}
	left := bearable
	for i := range contributions {
		c := &contributions[i]
		c.ActualCents, _ = portion(bearable, c.DeclaredCents, declared)
		left -= c.ActualCents
	}
	for ; left > 0; left-- {
		contributions[largestRemainder(contributions, bearable, declared)].ActualCents++
	}
	return bearable
}

// largestRemainder returns the first of the contributions that lost most to rounding down and was not
// given a cent for it yet.
func largestRemainder(contributions []Contribution, bearable int64, declared wide) int {
	best, largest := -1, wide{}
	for i := range contributions {
		c := &contributions[i]
		whole, remainder := portion(bearable, c.DeclaredCents, declared)
		if c.ActualCents == whole && (best < 0 || largest.less(remainder)) {
			best, largest = i, remainder
		}
	}
	return best
}

// wide is an unsigned number of 128 bits. Shares are what ECs say, up to the greatest int64 for "all of it", and
// a cart of them adds up to more.
type wide struct{ hi, lo uint64 }

func (a wide) less(b wide) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// times returns a product that fits: n is no more than a fee.
func (a wide) times(n int64) wide {
	hi, lo := bits.Mul64(a.lo, uint64(n))
	return wide{hi + a.hi*uint64(n), lo}
}

func total(contributions []Contribution) (sum wide) {
	for i := range contributions {
		var carry uint64
		sum.lo, carry = bits.Add64(sum.lo, uint64(contributions[i].DeclaredCents), 0)
		sum.hi += carry
	}
	return sum
}

// portion returns bearable × declared ÷ sum, the whole cents and the remainder.
func portion(bearable, declared int64, sum wide) (whole int64, remainder wide) {
	product := wide{lo: uint64(declared)}.times(bearable)
	if sum.hi == 0 {
		quotient, rest := bits.Div64(product.hi, product.lo, sum.lo)
		return int64(quotient), wide{lo: rest}
	}
	whole = int64(sort.Search(int(bearable), func(cents int) bool { return product.less(sum.times(int64(cents) + 1)) }))
	taken := sum.times(whole)
	lo, borrow := bits.Sub64(product.lo, taken.lo, 0)
	hi, _ := bits.Sub64(product.hi, taken.hi, borrow)
	return whole, wide{hi, lo}
}
