package engine_test

import (
	"math/big"

	"gec/engine"
)

// The reference evaluator's money: fees (F1, F2), shares (Q16) and their split (Q17), in numbers without
// end, so that no overflow of its own can hide one of the engine's.

// feeOf is F1 and F2, in numbers without end; ok is false when the fee is none that Q15 allows.
func feeOf(f *engine.Fee, amount, notices int64) (cents int64, ok bool) {
	sum := exactFee(f, amount, notices)
	if sum.Sign() < 0 || sum.Cmp(big.NewInt(1_000_000*100)) > 0 {
		return 0, false
	}
	return sum.Int64(), true
}

func exactFee(f *engine.Fee, amount, notices int64) *big.Int {
	sum := big.NewInt(f.FlatCents)
	sum.Add(sum, new(big.Int).Mul(big.NewInt(f.PerNoticeCents), big.NewInt(notices)))
	percent := new(big.Int).Mul(big.NewInt(amount), big.NewInt(f.BasisPoints))
	whole, rest := new(big.Int).QuoRem(percent, big.NewInt(10_000), new(big.Int))
	if half := rest.Cmp(big.NewInt(5_000)); half > 0 || half == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	sum.Add(sum, whole)
	for i := range f.Steps {
		if upTo := f.Steps[i].UpToCents; upTo == nil || amount <= *upTo {
			sum.Add(sum, exactFee(&f.Steps[i].Fee, amount, notices))
			break
		}
	}
	if f.MinCents != nil && sum.Cmp(big.NewInt(*f.MinCents)) < 0 {
		sum = big.NewInt(*f.MinCents)
	}
	if f.MaxCents != nil && sum.Cmp(big.NewInt(*f.MaxCents)) > 0 {
		sum = big.NewInt(*f.MaxCents)
	}
	return sum
}

// shares is Q16: what each EC declares to bear, in cart order; nothing when one of them has no
// matching attribute. In the v1 contract an EC that is not among the transfers bears nothing (spec 4).
func (r *request) shares(b *engine.Bundle) (shares []engine.Contribution) {
	for _, ec := range r.ecs() {
		var best *engine.Contribution
		for _, s := range r.subscribed(b, ec) {
			share, matches := r.shareOf(&s, ec)
			if matches && (best == nil || share > best.DeclaredCents) {
				best = &engine.Contribution{CreditorInstitution: ec, SubscriptionID: s.ID, DeclaredCents: share}
			}
		}
		if best == nil || r.view == engine.EveryBundle && !r.amongTransfers(ec) {
			return nil
		}
		shares = append(shares, *best)
	}
	return shares
}

func (r *request) amongTransfers(ec string) bool {
	for _, n := range r.payment.Notices {
		for _, t := range n.Transfers {
			if t.CreditorInstitution == ec {
				return true
			}
		}
	}
	return false
}

// shareOf is the smallest share over the notices of the EC, each of which must match.
func (r *request) shareOf(s *engine.Subscription, ec string) (share int64, matches bool) {
	share = -1
	for _, n := range r.payment.Notices {
		if n.CreditorInstitution != ec {
			continue
		}
		largest := int64(-1)
		for _, a := range s.Attributes {
			if attributeMatches(&a, &n) {
				largest = max(largest, a.MaxPaymentAmountCents)
			}
		}
		if largest < 0 {
			return 0, false
		}
		if share < 0 || largest < share {
			share = largest
		}
	}
	return share, share >= 0
}

func attributeMatches(a *engine.Attribute, n *engine.Notice) bool {
	if a.TransferCategory == "" {
		return true
	}
	carried := false
	for _, t := range n.Transfers {
		if t.CreditorInstitution == n.CreditorInstitution && bare(t.TransferCategory) == bare(a.TransferCategory) {
			carried = true
		}
	}
	return carried != a.NotEqual
}

// split is Q17, of a gross fee or what of it may be borne.
func split(gross int64, shares []engine.Contribution) []engine.Contribution {
	declared := new(big.Int)
	for i := range shares {
		shares[i].ActualCents = shares[i].DeclaredCents
		declared.Add(declared, big.NewInt(shares[i].DeclaredCents))
	}
	if declared.Cmp(big.NewInt(gross)) <= 0 {
		return shares
	}
	rests := make([]*big.Int, len(shares))
	left := gross
	for i := range shares {
		product := new(big.Int).Mul(big.NewInt(shares[i].DeclaredCents), big.NewInt(gross))
		quotient, rest := new(big.Int).QuoRem(product, declared, new(big.Int))
		shares[i].ActualCents, rests[i] = quotient.Int64(), rest
		left -= shares[i].ActualCents
	}
	for ; left > 0; left-- {
		largest := 0
		for i := range rests {
			if rests[i].Cmp(rests[largest]) > 0 { // a tie stays with the one before, in cart order
				largest = i
			}
		}
		shares[largest].ActualCents++
		rests[largest] = big.NewInt(-1)
	}
	return shares
}
