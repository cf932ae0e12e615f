package engine

import (
	"encoding/binary"
	"math/bits"
)

// The chance of Q22 has two parts. The seed says which payment it is: a hash of what the payer pays
// and how, but not of the instant, the limit or the PSP filter, so that asking again a moment later,
// or for the chosen PSP alone, keeps the order. The chance of a PSP is a hash of the seed and the
// PSP's id alone: PSPs sorted by it stand in every order equally often over different payments, and
// the order of two PSPs does not depend on which others are there, how they are stored or numbered.

// The multipliers are odd 64-bit numbers with evenly spread bits (digits of √2, √3 and √5).
const (
	chanceRoot2 = 0x6A09E667F3BCC909
	chanceRoot3 = 0xBB67AE8584CAA73B
	chanceRoot5 = 0x3C6EF372FE94F82B
)

// seeder hashes the fields of a payment, eight bytes a step.
type seeder uint64

func (s *seeder) word(w uint64) {
	hi, lo := bits.Mul64(uint64(*s)^w^chanceRoot2, chanceRoot3)
	*s = seeder(hi ^ lo ^ w)
}

// text adds a string and its length, so that neighbouring fields cannot run into each other.
func (s *seeder) text(t string) {
	s.word(uint64(len(t)) + chanceRoot5)
	for len(t) >= 8 {
		s.word(binary.LittleEndian.Uint64([]byte(t[:8])))
		t = t[8:]
	}
	if len(t) > 0 {
		var rest [8]byte
		copy(rest[:], t)
		s.word(binary.LittleEndian.Uint64(rest[:]))
	}
}

func (s *seeder) flag(set bool) {
	if set {
		s.word(1)
	} else {
		s.word(2)
	}
}

// paymentSeed derives the seed of a payment. The touchpoint and payment type are given folded, Any
// where there is no filter.
func paymentSeed(p *Payment, touchpoint, paymentType string) uint64 {
	s := seeder(chanceRoot5)
	s.text(touchpoint)
	s.text(paymentType)
	s.text(p.BIN)
	s.text(p.Reference)
	for i := range p.Notices {
		notice := &p.Notices[i]
		s.word(uint64(notice.AmountCents))
		s.text(notice.CreditorInstitution)
		s.word(uint64(len(notice.Transfers)))
		for j := range notice.Transfers {
			transfer := &notice.Transfers[j]
			s.text(transfer.CreditorInstitution)
			s.text(BareCategory(transfer.TransferCategory))
			s.flag(transfer.DigitalStamp)
		}
	}
	return scatter(uint64(s))
}

// chanceID hashes the id of a PSP, once, when its first bundle enters a catalogue.
func chanceID(foldedPSP string) uint64 {
	s := seeder(chanceRoot2)
	s.text(foldedPSP)
	return scatter(uint64(s))
}

// chanceOf returns the place of a PSP in the order of chance of a payment.
func chanceOf(seed, pspChance uint64) uint64 { return scatter(scatter(seed^pspChance) + pspChance) }

// scatter spreads every bit of its argument over all of its result, one to one.
func scatter(x uint64) uint64 {
	x ^= x >> 32
	x *= chanceRoot3
	x ^= x >> 29
	x *= chanceRoot2
	x ^= x >> 32
	return x
}
