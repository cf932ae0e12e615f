package rest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"
	"testing"

	"gec/engine"
)

func TestAnsweringAllocatesNothing(t *testing.T) {
	if !countable || testing.CoverMode() != "" {
		t.Skip("allocations cannot be counted in this build")
	}
	c, body := calculatorOf(many(t, 513)), []byte(request400)
	dst := make([]byte, 0, 64<<10)
	for name, q := range map[string]Query{"default": DefaultQuery(), "fee": {AllCcp: true, OnUsFirst: true, Order: engine.OrderFee}, "by PSP": {PSP: "PSP00001XXX", AllCcp: true}} {
		allocations := testing.AllocsPerRun(200, func() {
			var err error
			if dst, _, err = c.AnswerV2(dst[:0], body, &q); err != nil {
				t.Fatal(err)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
	if !bytes.Contains(dst, []byte(`"actualPayerFee":`)) {
		t.Errorf("no rows: %s", dst)
	}
}

// TestP6AnswersAreWholeUnderConcurrency lets many clients ask while the snapshots change, each with a fee that
// names its revision, and overwrites every body as soon as the call returns: an answer that mixes revisions or
// still points into a body shows.
func TestP6AnswersAreWholeUnderConcurrency(t *testing.T) {
	const clients, calls, revisions = 8, 200, 4
	snapshots := make([]*engine.Snapshot, revisions)
	for i := range snapshots {
		bundles := make([]*engine.Bundle, 40)
		for j := range bundles {
			bundles[j] = &engine.Bundle{
				ID: "b" + strconv.Itoa(j), PSP: "P" + strconv.Itoa(j%20), Touchpoint: engine.Any, Cart: true,
				Band: engine.Band{MaxCents: 1 << 40}, Fee: engine.Fee{FlatCents: int64(1000 + i)},
			}
		}
		snapshots[i] = snapshot(t, bundles, engine.Subscription{ID: "s", BundleID: "b1", CreditorInstitution: "77777777777", Attributes: []engine.Attribute{{ID: "a", MaxPaymentAmountCents: 0}}})
	}
	var next struct {
		sync.Mutex
		at int
	}
	c := NewCalculator(func() *engine.Snapshot {
		next.Lock()
		defer next.Unlock()
		next.at++
		return snapshots[next.at%revisions]
	}, at(noon))
	var wait sync.WaitGroup
	for client := range clients {
		wait.Go(func() {
			var dst []byte
			for call := range calls {
				ec := []string{"77777777777", "1" + strconv.Itoa(client)}[call%2]
				body := []byte(noticeOf(`"paymentAmount":` + strconv.Itoa(call+1) + `,"primaryCreditorInstitution":"` + ec + `","transferList":[{"creditorInstitution":"` + ec + `"}]`))
				q := DefaultQuery()
				var err error
				dst, _, err = c.AnswerV2(dst[:0], body, &q)
				for i := range body {
					body[i] = 0xFF
				}
				if err != nil {
					t.Error(err)
					return
				}
				checkOneRevision(t, dst)
			}
		})
	}
	wait.Wait()
}

func checkOneRevision(t *testing.T, body []byte) {
	var answer struct {
		BundleOptions []struct {
			TaxPayerFee int
			Fees        []struct{ CreditorInstitution string }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.BundleOptions) != 10 {
		t.Errorf("%v in %s", err, body)
		return
	}
	for _, row := range answer.BundleOptions {
		if row.TaxPayerFee != answer.BundleOptions[0].TaxPayerFee {
			t.Errorf("fees of two revisions: %s", body)
		}
		for _, fee := range row.Fees {
			if fee.CreditorInstitution != "77777777777" {
				t.Errorf("an EC that nobody sent: %q", fee.CreditorInstitution)
			}
		}
	}
}

func BenchmarkCalculator(b *testing.B) {
	for _, count := range []int{513, 5_130, 51_300} {
		s := many(b, count)
		for name, order := range map[string]engine.Order{"fee": engine.OrderFee, "random": engine.OrderRandom} {
			b.Run(strconv.Itoa(count)+"/"+name, func(b *testing.B) {
				c, body, q := calculatorOf(s), []byte(request400), Query{AllCcp: true, OnUsFirst: true, Order: order}
				var dst []byte
				b.ReportAllocs()
				for b.Loop() {
					var err error
					var o Outcome
					if dst, o, err = c.AnswerV2(dst[:0], body, &q); err != nil || o.Rows == 0 {
						b.Fatal(o, err)
					}
				}
				b.ReportMetric(float64(len(dst)), "bytes")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	var d decoder
	body := []byte(request400)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := d.decode(body, contractV2, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	s := many(b, 513)
	var d decoder
	if err := d.decode([]byte(request400), contractV2, ""); err != nil {
		b.Fatal(err)
	}
	d.payment.At = noon
	answer, err := engine.NewQuoter().Quotes(s, &d.payment, engine.Options{Order: engine.OrderFee})
	if err != nil || len(answer.Quotes) == 0 {
		b.Fatal(answer, err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = appendAnswer(dst[:0], contractV2, answer)
	}
	b.ReportMetric(float64(len(answer.Quotes)), "rows")
}
