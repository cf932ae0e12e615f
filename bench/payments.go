package bench

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"gec/engine"
)

// Mix says what kind of payments [Payments] makes. The zero Mix is the everyday one without carts and
// filters, with ECs that subscribe to nothing.
type Mix struct {
	// Seed of the payments.
	Seed uint64
	// Card makes every payment one by card on the web without a BIN, up to 1 500 €: the kind with the
	// longest answers.
	Card bool
	// OwnCard makes every payment one by a card whose issuer is a PSP of the catalogue.
	OwnCard bool
	// FilterPercent is the share of payments, 0 to 100, that ask for one or two PSPs only.
	FilterPercent int
	// Notices is the number of notices of every payment; 0 stands for 1.
	Notices int
	// ECs are spread over the notices; none: ECs that subscribe to nothing.
	ECs []string
}

// paymentDay is when the day of all payments begins in Rome, a Tuesday.
var paymentDay = time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC)

// Payments makes payments to quote on a catalogue. Equal mixes give equal payments.
func (c *Catalogue) Payments(count int, m Mix) []engine.Payment {
	chance := rand.New(rand.NewPCG(m.Seed, 5))
	payments := make([]engine.Payment, count)
	for i := range payments {
		c.payment(&payments[i], &m, chance)
	}
	return payments
}

func (c *Catalogue) payment(p *engine.Payment, m *Mix, chance *rand.Rand) {
	p.At = paymentDay.Add(time.Duration(chance.Int64N(int64(24 * time.Hour))))
	p.Touchpoint, p.PaymentType = touchpoint(chance), paymentType(chance)
	amount := amountCents(chance)
	bin := chance.IntN(100)
	switch {
	case m.Card:
		p.Touchpoint, p.PaymentType, amount = "CHECKOUT", engine.CardPaymentType, min(amount, 150000)
	case m.OwnCard:
		p.Touchpoint, p.PaymentType, p.BIN = "CHECKOUT", engine.CardPaymentType, c.BIN(chance.IntN(1<<30))
	case p.PaymentType == engine.CardPaymentType && bin < 30:
		p.BIN = c.BIN(chance.IntN(1 << 30))
	case p.PaymentType == engine.CardPaymentType && bin < 50:
		p.BIN = strconv.Itoa(60_000_000 + chance.IntN(1<<20)) // a foreign card
	}
	if chance.IntN(100) < m.FilterPercent {
		c.filter(p, chance)
	}
	notices := max(m.Notices, 1)
	p.Notices = make([]engine.Notice, notices)
	for i := range p.Notices {
		ec := TaxCode(1<<20 + chance.IntN(5000))
		if len(m.ECs) > 0 {
			ec = m.ECs[i%len(m.ECs)]
		}
		p.Notices[i] = notice(max(amount/int64(notices), 1), ec, chance)
	}
}

// filter asks for the PSP of a bundle that the payer may have chosen, or for two.
func (c *Catalogue) filter(p *engine.Payment, chance *rand.Rand) {
	for range 1 + chance.IntN(2) {
		b := c.Bundles[chance.IntN(len(c.Bundles))]
		f := engine.PSPFilter{PSP: b.PSP}
		if chance.IntN(2) == 0 {
			f.Channel, f.Broker = b.Channel, b.Broker
		}
		p.PSPs = append(p.PSPs, f)
	}
}

func notice(cents int64, ec string, chance *rand.Rand) engine.Notice {
	n := engine.Notice{AmountCents: cents, CreditorInstitution: ec}
	n.Transfers = append(n.Transfers, engine.Transfer{CreditorInstitution: ec, TransferCategory: "9/" + someCategory(chance) + "/"})
	if chance.IntN(4) == 0 {
		n.Transfers = append(n.Transfers, engine.Transfer{CreditorInstitution: TaxCode(1 << 19), TransferCategory: someCategory(chance)})
	}
	return n
}

// amountCents draws amounts as they are paid: 23 % up to 25 €, 17 % to 50 €, the others falling off so
// that the mean is 200 €.
func amountCents(chance *rand.Rand) int64 {
	switch n := chance.IntN(100); {
	case n < 23:
		return 1 + chance.Int64N(2500)
	case n < 40:
		return 2501 + chance.Int64N(2500)
	}
	return 5001 + int64(math.Round(chance.ExpFloat64()*26900))
}

func touchpoint(chance *rand.Rand) string {
	switch n := chance.IntN(100); {
	case n < 45:
		return "CHECKOUT"
	case n < 80:
		return "IO"
	case n < 92:
		return "CHECKOUT_CART"
	case n < 96:
		return "WISP"
	}
	return ""
}

func paymentType(chance *rand.Rand) string {
	switch n := chance.IntN(100); {
	case n < 70:
		return engine.CardPaymentType
	case n < 78:
		return "PPAL"
	case n < 98:
		return []string{"BPAY", "SATY", "MYBK", "RBPP", "APPL"}[n%5]
	}
	return ""
}
