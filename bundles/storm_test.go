package bundles_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"gec/bundles"
	"gec/engine"
)

// TestP6SwapStorm makes 1 000 catalogues, each of which stamps its revision into every fee and every
// contribution, while 16 clients quote: no answer mixes two of them.
func TestP6SwapStorm(t *testing.T) {
	catalogues, clients := 1000, 16
	if testing.Short() {
		catalogues, clients = 150, 4
	}
	c := openCatalogue(t, openStore(t, t.TempDir()), bundles.Options{ECPlansMax: 1})
	stamped := func(revision int64) bundles.Document {
		d := bundles.Document{}
		for i := range 20 {
			b := plainBundle(fmt.Sprintf("G%02d", i), 1000+revision)
			if i%2 == 1 {
				b = privateBundle(fmt.Sprintf("P%02d", i), 1000+revision)
				for _, ec := range []string{firstEC, secondEC} {
					d.Subscriptions = append(d.Subscriptions, subscription(ec, b.ID, revision))
				}
			}
			d.Bundles = append(d.Bundles, b)
		}
		d.Settings = settings()
		return d
	}
	mustImport(t, c, stamped(1), asItIs(bundles.ImportReplaceAll))

	var all sync.WaitGroup
	var stop atomic.Bool
	var quotes atomic.Int64
	for client := range clients {
		all.Go(func() {
			quoter, last := engine.NewQuoter(), int64(0)
			ec := []string{firstEC, secondEC, "99999999999"}[client%3]
			for !stop.Load() {
				answer, err := quoter.Quotes(c.Current(), payment(ec), engine.Options{Order: engine.OrderFee, Limit: 100})
				if err != nil || answer.Revision < last {
					t.Errorf("revision %d after %d, %v", answer.Revision, last, err)
					return
				}
				last = answer.Revision
				if fault := mixed(answer, ec); fault != "" {
					t.Errorf("answer of revision %d: %s", answer.Revision, fault)
					return
				}
				quotes.Add(1)
				runtime.Gosched()
			}
		})
	}
	for revision := 2; revision <= catalogues; revision++ {
		mustImport(t, c, stamped(int64(revision)), asItIs(bundles.ImportReplaceAll))
	}
	stop.Store(true)
	all.Wait()
	if c.Current().Revision() != int64(catalogues) || quotes.Load() == 0 {
		t.Errorf("revision %d, %d quotes", c.Current().Revision(), quotes.Load())
	}
	// What was is still there, from the store.
	for _, revision := range []int64{1, int64(catalogues) / 2} {
		s, err := c.At(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := engine.NewQuoter().Quotes(s, payment(firstEC), engine.Options{Limit: 100})
		if err != nil || mixed(answer, firstEC) != "" {
			t.Errorf("at %d: %v, %s", revision, err, mixed(answer, firstEC))
		}
	}
}

// mixed says what of an answer is not of its revision.
func mixed(answer *engine.Answer, ec string) string {
	want := 10 // the GLOBAL bundles
	if ec == firstEC || ec == secondEC {
		want = 20
	}
	if len(answer.Quotes) != want {
		return fmt.Sprintf("%d rows, want %d", len(answer.Quotes), want)
	}
	for _, q := range answer.Quotes {
		if q.GrossCents != 1000+answer.Revision {
			return fmt.Sprintf("%s has gross fee %d", q.Bundle.ID, q.GrossCents)
		}
		net := q.GrossCents
		if q.Bundle.Type == engine.Private {
			net = 1000
		}
		if q.NetCents != net {
			return fmt.Sprintf("%s has net fee %d, want %d", q.Bundle.ID, q.NetCents, net)
		}
	}
	return ""
}

// TestPlansAreBounded quotes for more ECs than there may be plans.
func TestPlansAreBounded(t *testing.T) {
	c := openCatalogue(t, openStore(t, t.TempDir()), bundles.Options{ECPlansMax: 3})
	d := bundles.Document{Settings: settings(), Bundles: []bundles.Bundle{privateBundle("C", 100)}}
	ec := func(i int) string { return fmt.Sprintf("%011d", i) }
	for i := range 50 {
		d.Subscriptions = append(d.Subscriptions, subscription(ec(i), "C", int64(i)))
	}
	mustImport(t, c, d, asItIs(bundles.ImportReplaceAll))
	for range 3 {
		for i := range 50 {
			wantEqual(t, "fees", []string{fmt.Sprintf("C %d", 100-i)}, fees(t, c.Current(), ec(i)))
		}
	}
}
