package lint_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"gec/bundles"
	"gec/bundles/lint"
	"gec/engine"
	"gec/engine/condition"
)

// randomBundle draws from few values, so that bundles contain each other often.
func randomBundle(r *rand.Rand, id string) bundles.Bundle {
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	edges := []int64{0, 5000, 5001, 10000, 20000}
	low := r.IntN(len(edges) - 1)
	b := with(id, edges[low], edges[low+1+r.IntN(len(edges)-1-low)], int64(r.IntN(4))*50)
	for range r.IntN(4) {
		switch r.IntN(13) {
		case 0:
			b.PSP = pick("p", "Q")
		case 1, 2:
			b.Touchpoint = pick("ANY", "CHECKOUT", "io", "NOWHERE")
		case 3:
			b.PaymentType = pick("", "cp", "PPAL")
		case 4:
			b.Channel = pick("c", "D")
		case 5:
			b.ABI = pick("01002", "")
		case 6:
			b.When = pick("weekend()", "amount > 6000")
		case 7:
			b.OnUs = true
		case 8:
			b.Cart = false
		case 9:
			b.DigitalStamp, b.DigitalStampOnly = r.IntN(4) > 0, r.IntN(2) == 0
		case 10:
			b.Type = engine.BundleType(r.IntN(3))
		case 11:
			b.TransferCategories = append(b.TransferCategories, pick("0102100SA", "0102101SA"))
		case 12:
			b.Schedule = engine.Schedule{{Days: engine.EveryDay, FromMinute: []int{0, 600, 1200}[r.IntN(3)], ToMinute: []int{0, 480, 1200}[r.IntN(3)]}}
			b.Validity = engine.Period{From: []engine.Date{0, today, 20261201}[r.IntN(3)], To: []engine.Date{0, 20261120, 20261205}[r.IntN(3)]}
		}
	}
	switch r.IntN(9) {
	case 0:
		b.Fee.BasisPoints, b.Fee.MaxCents = int64(r.IntN(3))*100, amount(150)
	case 1:
		b.Fee.PerNoticeCents = int64(r.IntN(3)) * 50
	case 2:
		b.Fee.Steps = []engine.FeeStep{{UpToCents: amount(7000), Fee: engine.Fee{FlatCents: int64(r.IntN(3)) * 50}}, {Fee: engine.Fee{FlatCents: int64(r.IntN(3)) * 50}}}
	}
	return b
}

// randomPayment is made at some minute of the fortnight after today.
func randomPayment(r *rand.Rand) *engine.Payment {
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	p := &engine.Payment{
		At:         time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(16*24*60)) * time.Minute),
		Touchpoint: pick("", "IO", "CHECKOUT"), PaymentType: pick("", "CP", "PPAL"), BIN: pick("", "1", "3"),
	}
	for range 1 + r.IntN(2) {
		p.Notices = append(p.Notices, engine.Notice{
			AmountCents: []int64{1, 4999, 5000, 5001, 5002, 7000, 7001, 10000, 10001, 15000}[r.IntN(10)], CreditorInstitution: "77777777777",
			Transfers: []engine.Transfer{{CreditorInstitution: "77777777777", TransferCategory: pick("", "0102100SA", "9/0102101SA/"), DigitalStamp: r.IntN(3) == 0}},
		})
	}
	return p
}

// TestA10ClaimsHoldInQuotes quotes many payments on random catalogues: no bundle that lint calls
// unreachable is ever quoted, and none that it says never wins is ever its PSP's row (Q19).
func TestA10ClaimsHoldInQuotes(t *testing.T) {
	rounds, payments := 150, 150
	if testing.Short() {
		rounds = 20
	}
	never, unreachable, quoted := 0, 0, 0
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 19))
		var bs []bundles.Bundle
		src := engine.Source{Revision: 1, Settings: *settings(), ECs: []string{"77777777777"}}
		src.Settings.Issuers = []engine.IssuerRange{
			{Low: 1e18, High: 2e18, ABI: "01001"}, {Low: 3e18, High: 4e18, ABI: "01002"},
		}
		var subscriptions []engine.Subscription
		for i := range 16 {
			bs = append(bs, randomBundle(r, fmt.Sprintf("%02d", i)))
			if bs[i].Type != engine.Global && r.IntN(2) == 0 {
				subscriptions = append(subscriptions, engine.Subscription{
					ID: "S" + bs[i].ID, BundleID: bs[i].ID, CreditorInstitution: "77777777777",
					Attributes: []engine.Attribute{{ID: "1", MaxPaymentAmountCents: int64(r.IntN(4)) * 50}},
				})
			}
		}
		rules, fields := map[string]lint.Rule{}, map[string]string{}
		for _, f := range lint.Check(bs, &src.Settings, today, lint.Options{Rules: []lint.Rule{lint.NeverWins, lint.Unreachable}}) {
			rules[f.Bundle], fields[f.Bundle] = f.Rule, f.Field
			if f.Rule == lint.NeverWins {
				never++
			} else {
				unreachable++
			}
		}
		for i := range bs {
			src.Bundles = append(src.Bundles, &bs[i].Bundle)
		}
		snapshot, err := engine.NewSnapshot(src, engine.Deps{
			Programs:      condition.NewCache(64),
			Subscriptions: func(int64, string) ([]engine.Subscription, error) { return subscriptions, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		quoter := engine.NewQuoter()
		for range payments {
			p := randomPayment(r)
			for _, view := range []engine.View{engine.OnePerPSP, engine.EveryBundle} {
				answer, err := quoter.Quotes(snapshot, p, engine.Options{View: view, Limit: 100})
				if err != nil {
					t.Fatal(err)
				}
				for _, q := range answer.Quotes {
					quoted++
					if fields[q.Bundle.ID] == "touchpoint" && p.Touchpoint == "" {
						continue // payments that name no touchpoint get bundles of unknown ones
					}
					if rule := rules[q.Bundle.ID]; rule == lint.Unreachable || rule == lint.NeverWins && view == engine.OnePerPSP {
						t.Fatalf("seed %d: %s %s is quoted to %+v", seed, rule, q.Bundle.ID, p)
					}
				}
			}
		}
	}
	if never < rounds || unreachable < rounds/3 || quoted < rounds*payments {
		t.Errorf("%d never win, %d are unreachable, %d quotes: too few to show anything", never, unreachable, quoted)
	}
}

// large are bundles of one PSP of one kind.
func large(n int, make func(i int) bundles.Bundle) (bs []bundles.Bundle) {
	for i := range n {
		bs = append(bs, make(i))
	}
	return bs
}

func BenchmarkCheck10kOfOnePSP(b *testing.B) {
	const n = 10_000
	for _, c := range []struct {
		name string
		bs   []bundles.Bundle
		want int
	}{
		{"bands", large(n, func(i int) bundles.Bundle {
			return with(fmt.Sprintf("%05d", i), int64(i)*100, int64(i+1)*100, int64(i))
		}), 0},
		{"holes", large(n, func(i int) bundles.Bundle {
			return with(fmt.Sprintf("%05d", i), int64(i)*100+1, int64(i+1)*100, int64(i))
		}), n},
		{"codes", large(n, func(i int) bundles.Bundle {
			return with(fmt.Sprintf("%05d", i), int64(i%5)*100, int64(i%5+1)*100, int64(i%5), codes(fmt.Sprintf("%07dSA", i/5)))
		}), 0},
		{"codesBesideOpen", large(n, func(i int) bundles.Bundle {
			if i%2 == 0 {
				return with(fmt.Sprintf("%05d", i), int64(i)*100, int64(i+2)*100, int64(i)+2)
			}
			return with(fmt.Sprintf("%05d", i), 0, 1e9, 1, codes(fmt.Sprintf("%07dSA", i)))
		}), 0},
		{"schedules", large(n, func(i int) bundles.Bundle {
			return with(fmt.Sprintf("%05d", i), int64(i)*100, int64(i+1)*100, int64(i), func(b *bundles.Bundle) {
				b.Schedule = engine.Schedule{{Days: engine.EveryDay, FromMinute: i % 1440, ToMinute: (i/1440 + i + 1) % 1440}}
			})
		}), -1},
		{"versions", large(n, func(i int) bundles.Bundle {
			day := engine.Date(20270101).AddDays(i)
			return with(fmt.Sprintf("%05d", i), 0, 1000, 1, valid(day, day))
		}), 0},
		{"theSame", large(n, func(i int) bundles.Bundle { return with(fmt.Sprintf("%05d", i), 0, 1000, 1) }), -1},
		{"nested", large(n, func(i int) bundles.Bundle {
			return with(fmt.Sprintf("%05d", i), int64(i)*2, int64(3*n-i)*2, int64(n-i))
		}), -1},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if got := len(lint.Check(c.bs, settings(), today, lint.Options{})); c.want >= 0 && got != c.want {
					b.Fatal(got)
				}
			}
		})
	}
}
