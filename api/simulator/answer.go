package simulator

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"gec/engine"
)

// rowsMax is the number of PSPs asked for per payment type; the catalogue of the platform has some hundred.
const rowsMax = 1000

// answer is everything that the quotes of a question say.
type answer struct {
	Revision int64
	// Cents is the amount of the cart.
	Cents int64
	// Rows are in the order asked for.
	Rows []row
	// Lowest and Highest are the ends of what the payer pays; 0 without rows.
	Lowest, Highest int64
	// Offers are the fees for customers of one bank, shown while the person has not said of which they are.
	Offers []row
}

// row is one quote as it is shown.
type row struct {
	Bundle *engine.Bundle
	// Name of the PSP; its id where it has none.
	Name string
	// NetCents is what the payer pays of the fee, GrossCents all of it, TotalCents the amount and the fee.
	NetCents, GrossCents, TotalCents int64
	// Contributions are what the ECs bear; empty when they bear nothing.
	Contributions []engine.Contribution
	// Bank is the one whose card is needed; empty when any will do.
	Bank string
	// chance is the place of the PSP in the fair order of this payment (Q22).
	chance int
}

// BorneCents is what the ECs bear together.
func (r row) BorneCents() int64 { return r.GrossCents - r.NetCents }

// quoters keeps the scratch memory of quotes.
type quoters struct{ pool sync.Pool }

func newQuoters() *quoters {
	return &quoters{sync.Pool{New: func() any { return engine.NewQuoter() }}}
}

// ask calls use with the answer to a payment, which is valid during the call only.
func (p *quoters) ask(s *engine.Snapshot, payment *engine.Payment, o engine.Options, use func(*engine.Answer)) error {
	quoter := p.pool.Get().(*engine.Quoter)
	defer p.pool.Put(quoter)
	answer, err := quoter.Quotes(s, payment, o)
	if err != nil {
		return err
	}
	use(answer)
	return nil
}

// payment returns what the question asks, without a payment type.
func (d *directory) payment(q *question, at time.Time) *engine.Payment {
	p := &engine.Payment{Touchpoint: q.Place, BIN: d.bankOf(q.Bank).bin, At: at}
	for _, n := range q.Notices {
		transfer := engine.Transfer{CreditorInstitution: n.EC}
		if n.Service == serviceStamp {
			transfer.DigitalStamp = true
		} else {
			transfer.TransferCategory = n.Service
		}
		p.Notices = append(p.Notices, engine.Notice{AmountCents: n.Cents, CreditorInstitution: n.EC, Transfers: []engine.Transfer{transfer}})
	}
	return p
}

// answer asks the quotes of a question: of every PSP the best one for each payment type of the chosen way.
// Errors as [engine.Quoter.Quotes].
func (p *quoters) answer(d *directory, q *question, at time.Time) (*answer, error) {
	payment := d.payment(q, at)
	a := &answer{Revision: d.snapshot.Revision(), Cents: q.Cents()}
	chance, seed, err := p.chances(d, payment)
	if err != nil {
		return nil, err
	}
	options := engine.Options{Order: engine.OrderFeeRandom, Limit: rowsMax, Seed: seed, SeedGiven: true}
	seen := map[string]bool{}
	for _, paymentType := range d.typesOf(q.Way) {
		payment.PaymentType = paymentType
		err := p.ask(d.snapshot, payment, options, func(quotes *engine.Answer) {
			for i := range quotes.Quotes {
				// A bundle for any type is met once per type and shown once.
				if quote := &quotes.Quotes[i]; !seen[quote.Bundle.ID] {
					seen[quote.Bundle.ID] = true
					a.Rows = append(a.Rows, d.row(quote, a.Cents, chance))
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	if q.Bank == "" && slices.Contains(d.typesOf(q.Way), engine.CardPaymentType) {
		if a.Offers, err = p.offers(d, payment, options, chance); err != nil {
			return nil, err
		}
	}
	for i, r := range a.Rows {
		if i == 0 {
			a.Lowest = r.NetCents
		}
		a.Lowest, a.Highest = min(a.Lowest, r.NetCents), max(a.Highest, r.NetCents)
	}
	sortRows(a.Rows, q.Sort)
	sortRows(a.Offers, q.Sort)
	return a, nil
}

// chances returns the fair order of all PSPs for the payment (Q22), and its seed, which all quotes of the
// question share, so that PSPs with equal fees stand in one fair order whatever their payment types.
func (p *quoters) chances(d *directory, payment *engine.Payment) (order map[string]int, seed uint64, err error) {
	order = map[string]int{}
	options := engine.Options{Order: engine.OrderRandom, Limit: rowsMax}
	err = p.ask(d.snapshot, payment, options, func(quotes *engine.Answer) {
		seed = quotes.Seed
		for i := range quotes.Quotes {
			order[strings.ToUpper(quotes.Quotes[i].Bundle.PSP)] = i
		}
	})
	return order, seed, err
}

// offersMax bounds the banks that are looked through for fees of their own.
const offersMax = 300

// offers returns the on-us rows of every bank, each as a person with a card of that bank would get it (Q10).
func (p *quoters) offers(d *directory, payment *engine.Payment, o engine.Options, chance map[string]int) (rows []row, err error) {
	own := *payment
	own.PaymentType = engine.CardPaymentType
	cents := int64(0)
	for i := range own.Notices {
		cents += own.Notices[i].AmountCents
	}
	for _, b := range d.banks[:min(len(d.banks), offersMax)] {
		own.BIN = b.bin
		err := p.ask(d.snapshot, &own, o, func(quotes *engine.Answer) {
			for i := range quotes.Quotes {
				if quote := &quotes.Quotes[i]; quote.Bundle.OnUs {
					rows = append(rows, d.row(quote, cents, chance))
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// row copies a quote, which is valid for a moment only.
func (d *directory) row(quote *engine.Quote, cents int64, chance map[string]int) row {
	b := quote.Bundle
	r := row{
		Bundle: b, Name: cmp.Or(b.PSPBusinessName, b.PSP),
		NetCents: quote.NetCents, GrossCents: quote.GrossCents, TotalCents: cents + quote.NetCents,
		Contributions: slices.Clone(quote.Contributions), chance: rowsMax,
	}
	if place, ok := chance[strings.ToUpper(b.PSP)]; ok {
		r.chance = place
	}
	if b.OnUs {
		r.Bank = cmp.Or(d.bankOf(b.ABI).Name, r.Name)
	}
	return r
}

// sortRows puts rows in order of fee, equal fees in the fair order of the payment; or in order of name.
func sortRows(rows []row, by string) {
	slices.SortStableFunc(rows, func(a, b row) int {
		byFee := cmp.Or(cmp.Compare(a.NetCents, b.NetCents), cmp.Compare(a.chance, b.chance), cmp.Compare(a.Bundle.ID, b.Bundle.ID))
		if by == sortName {
			return cmp.Or(compareFold(a.Name, b.Name), byFee)
		}
		return byFee
	})
}
