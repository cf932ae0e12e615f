package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gec/engine"
)

// TestQuotesDoNotAllocate holds the way of a quote to no allocation once a Quoter is warm, at the sizes
// of performance.md, with everything that a payment may ask for.
func TestQuotesDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	sizes := []int{513, 5_130, 51_300}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for _, bundles := range sizes {
		t.Run(fmt.Sprint(bundles, " bundles"), func(t *testing.T) {
			d := rand.New(rand.NewPCG(22, uint64(bundles)))
			w := randomWorld(d, scale{bundles: bundles, psps: 18 + bundles/500, orderly: true, spread: true, easy: true})
			s := w.snapshot(t)
			for name, p := range busyPayments(w) {
				for order, o := range map[string]engine.Options{
					"fee": {Order: engine.OrderFee, OnUsFirst: true}, "random": {OnUsFirst: true},
					"feerandom": {Order: engine.OrderFeeRandom}, "pspname": {Order: engine.OrderPSPName},
					"fee, all rows": everything, "v1": v1(10),
				} {
					holdNoAllocation(t, s, p, o, name+", order "+order)
				}
			}
		})
	}
}

// busyPayments are payments with all that costs something on the way.
func busyPayments(w *world) map[string]*engine.Payment {
	card := plainPayment(5_000)
	card.BIN, card.PaymentType, card.Touchpoint, card.WithoutPoste = "400000", "cp", "checkout", true
	filtered := plainPayment(5_001)
	filtered.PSPs = []engine.PSPFilter{{PSP: "psp1"}, {PSP: "PSP2", Channel: "ch1"}, {PSP: "PSP3", Broker: "BR1"}}
	one := plainPayment(9_999)
	one.PSPs = []engine.PSPFilter{{PSP: "PSP1"}}
	cart := plainPayment(5_000)
	for i := range 4 {
		ec := ecPool[(i+1)%3]
		cart.Notices = append(cart.Notices, engine.Notice{AmountCents: int64(100 + i), CreditorInstitution: ec, Transfers: []engine.Transfer{
			{CreditorInstitution: ec, TransferCategory: "9/" + categoryPool[i] + "/", DigitalStamp: i == 2}, {CreditorInstitution: ecPool[0]},
		}})
	}
	cart.BIN, cart.Reference = w.bin(), "302000012345678901"
	search := plainPayment(5_000)
	search.Notices[0].Transfers = nil
	return map[string]*engine.Payment{
		"plain": plainPayment(5_000), "card": card, "several PSPs": filtered, "one PSP": one, "cart of three ECs": cart, "method search": search,
	}
}

// bin is the first number of the first issuer's range.
func (w *world) bin() string { return fmt.Sprint(w.settings.Issuers[0].Low) }

func holdNoAllocation(t *testing.T, s *engine.Snapshot, p *engine.Payment, o engine.Options, what string) {
	t.Helper()
	q, failed := engine.NewQuoter(), error(nil)
	ask := func() {
		if _, err := q.Quotes(s, p, o); err != nil {
			failed = err
		}
	}
	ask()
	if n := testing.AllocsPerRun(20, ask); n != 0 || failed != nil {
		t.Errorf("%s: %v allocations, %v", what, n, failed)
	}
}
