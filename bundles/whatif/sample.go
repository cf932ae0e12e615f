package whatif

import (
	"fmt"
	"math/rand/v2"
	"time"

	"gec/bundles"
	"gec/engine"
)

// Payment is one kind of payment in a sample: one notice with one transfer.
type Payment struct {
	AmountCents int64 `json:"amountCents"`
	// Touchpoint and PaymentType may be empty: then they do not filter (Q2, Q3).
	Touchpoint  string `json:"touchpoint,omitempty"`
	PaymentType string `json:"paymentType,omitempty"`
	// TransferCategory is a taxonomy code in either form; empty: none.
	TransferCategory string `json:"transferCategory,omitempty"`
	// BIN is the leading digits of the card; empty: the issuer is unknown.
	BIN string `json:"bin,omitempty"`
	// Time is the local time of the day, "18:30"; empty: noon.
	Time string `json:"time,omitempty"`
	// Count is how many payments like this there are; 0 is one.
	Count int64 `json:"count,omitempty"`
}

// Bounds of a sample.
const (
	// PaymentsMax is the number of kinds of payments in one sample.
	PaymentsMax = 100_000
	// CountMax is the number of payments in one sample, all counts together.
	CountMax = 1_000_000_000
)

// number returns how many payments there are.
func (p *Payment) number() int64 {
	if p.Count == 0 {
		return 1
	}
	return p.Count
}

// minute is the minute of the day at which the payment is made.
func (p *Payment) minute() (int, error) {
	if p.Time == "" {
		return 12 * 60, nil
	}
	t, err := time.Parse("15:04", p.Time)
	return t.Hour()*60 + t.Minute(), err
}

// on is the payment, made to an EC on a day. The EC may be empty: then no subscription matters.
func (p *Payment) on(day engine.Date, ec string) *engine.Payment {
	minute, _ := p.minute() // was checked
	return &engine.Payment{
		At: instant(day, minute), Touchpoint: p.Touchpoint, PaymentType: p.PaymentType, BIN: p.BIN,
		Notices: []engine.Notice{{AmountCents: p.AmountCents, CreditorInstitution: ec, Transfers: []engine.Transfer{{CreditorInstitution: ec, TransferCategory: p.TransferCategory}}}},
	}
}

// instant is a minute of a day in Europe/Rome; one that the change of the clock leaves out is an hour later.
func instant(day engine.Date, minute int) time.Time {
	const aheadOfUTC = time.Hour
	at := time.Date(int(day/10000), time.Month(day/100%100), int(day%100), 0, minute, 0, 0, time.UTC).Add(-aheadOfUTC)
	if early := at.Add(-time.Hour); engine.LocalAt(early).Minute == minute {
		return early // in summer
	}
	return at
}

// checkSample returns what is wrong with a sample, by paths such as "sample[3].amountCents".
func checkSample(sample []Payment) (faults bundles.Faults) {
	fault := func(n int, field, reason, fix string) {
		faults = append(faults, bundles.Fault{Path: fmt.Sprintf("sample[%d].%s", n, field), Reason: reason, Fix: fix})
	}
	if len(sample) > PaymentsMax {
		return bundles.Faults{{Path: "sample", Reason: fmt.Sprintf("has %d payments", len(sample)), Fix: fmt.Sprintf("use at most %d, and count for those that are alike", PaymentsMax)}}
	}
	total := int64(0)
	for n := range sample {
		p := &sample[n]
		if p.AmountCents <= 0 {
			fault(n, "amountCents", fmt.Sprintf("is %d", p.AmountCents), "use 1 or more cents")
		}
		if p.Count < 0 || p.Count > CountMax {
			fault(n, "count", fmt.Sprintf("is %d", p.Count), fmt.Sprintf("use 1 to %d", int64(CountMax)))
			continue
		}
		if _, err := p.minute(); err != nil {
			fault(n, "time", bundles.Excerpt(p.Time)+" is no time of the day", "write hours and minutes, as in 18:30")
		}
		if p.TransferCategory != "" && !engine.WellFormedCategory(p.TransferCategory) {
			fault(n, "transferCategory", bundles.Excerpt(p.TransferCategory)+" is no taxonomy code", "write seven digits and two capital letters, as in 0102100SA or 9/0102100SA/")
		}
		total += p.number()
	}
	if total > CountMax {
		faults = append(faults, bundles.Fault{Path: "sample", Reason: fmt.Sprintf("counts %d payments", total), Fix: fmt.Sprintf("use at most %d", int64(CountMax))})
	}
	return faults
}

// mixClass is a class of amounts in the built-in mix: amounts above from, up to to, cents, and which part of
// all payments they are, in percent.
type mixClass struct{ from, to, percent int64 }

// mixClasses are such that 23 % of the payments are of up to 25 €, 17 % of 25 to 50 €, and the mean is 200 €,
// as the platform's are; how the larger ones spread is an assumption.
var mixClasses = [...]mixClass{
	{0, 25_00, 23}, {25_00, 50_00, 17}, {50_00, 100_00, 24}, {100_00, 250_00, 18}, {250_00, 500_00, 9}, {500_00, 1000_00, 6}, {1000_00, 3166_67, 3},
}

// MixCountDefault is the number of payments of the built-in mix where none is given.
const MixCountDefault = 1000

// Mix is the built-in sample: count payments, 0 being MixCountDefault, whose amounts are 23 % up to 25 €,
// 17 % from there to 50 €, with a mean of 200 €, and spread evenly within their classes. Touchpoints,
// payment types, taxonomy codes and the hours of the day are drawn evenly; an empty list leaves the field
// empty. The same arguments give the same sample.
func Mix(count int, seed uint64, touchpoints, paymentTypes, categories []string) []Payment {
	if count == 0 {
		count = MixCountDefault
	}
	const mixStream = 23_17_200
	r := rand.New(rand.NewPCG(seed, mixStream))
	pick := func(from []string) string {
		if len(from) == 0 {
			return ""
		}
		return from[r.IntN(len(from))]
	}
	sample := make([]Payment, 0, count)
	done := int64(0)
	for _, class := range mixClasses {
		done += class.percent
		n := int64(count)*done/100 - int64(len(sample))
		for i := range n { // one from each n-th of the class
			low, high := class.from+(class.to-class.from)*i/n, class.from+(class.to-class.from)*(i+1)/n
			amount := low + 1
			if high > low {
				amount += r.Int64N(high - low)
			}
			minute := r.IntN(24 * 60)
			sample = append(sample, Payment{
				AmountCents: amount, Touchpoint: pick(touchpoints), PaymentType: pick(paymentTypes), TransferCategory: pick(categories),
				Time: fmt.Sprintf("%02d:%02d", minute/60, minute%60),
			})
		}
	}
	return sample
}
