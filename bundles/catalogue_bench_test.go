package bundles_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/engine"
)

// market is a catalogue of many PSPs with as many bundles as the published fee list has, times scale,
// and subscriptions of ECs to PRIVATE ones, fifty to an EC.
func market(count, subscriptions int) bundles.Document {
	d := bundles.Document{Settings: settings()}
	for i := range count {
		b := plainBundle(fmt.Sprintf("%032d", i), int64(50+i%200))
		b.PSP, b.PSPBusinessName = fmt.Sprintf("ABI%05d", i%18), fmt.Sprintf("Banca %d S.p.A.", i%18)
		b.Band = engine.Band{MinCents: int64(i%7) * 1000, MaxCents: int64(i%7+5) * 10_000}
		b.PaymentType = d.Settings.PaymentTypes[i%3]
		b.Touchpoint = append(d.Settings.Touchpoints, engine.Any)[i%4]
		b.Description = "Paga con la tua carta in modo semplice e sicuro; commissione applicata dal prestatore."
		if i < 50 && subscriptions > 0 {
			b.Type = engine.Private
		}
		d.Bundles = append(d.Bundles, b)
	}
	for i := range subscriptions {
		s := subscription(fmt.Sprintf("%011d", i/50), d.Bundles[i%50].ID, 10)
		s.ID = fmt.Sprintf("%032d", i)
		d.Subscriptions = append(d.Subscriptions, s)
	}
	return d
}

// BenchmarkReady opens folder, store and catalogue, as a service does when it starts.
func BenchmarkReady(b *testing.B) {
	for _, size := range []struct{ bundles, subscriptions int }{{513, 0}, {51_300, 0}, {51_300, 1_000_000}} {
		b.Run(fmt.Sprintf("%d+%d", size.bundles, size.subscriptions), func(b *testing.B) {
			dir := b.TempDir()
			fillFolder(b, dir, size.bundles, size.subscriptions)
			for b.Loop() {
				store, err := badger.Open(dir, badger.Options{})
				if err != nil {
					b.Fatal(err)
				}
				c, err := bundles.Open(b.Context(), store, bundles.Options{})
				if err != nil || c.Current().Len() != size.bundles {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := store.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

func fillFolder(b *testing.B, dir string, count, subscriptions int) {
	b.Helper()
	store, err := badger.Open(dir, badger.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	c := openCatalogue(b, store, bundles.Options{})
	if _, err := c.Import(b.Context(), tester, market(count, subscriptions), asItIs(bundles.ImportReplaceAll)); err != nil {
		b.Fatal(err)
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOneChange51300 changes one bundle of a large catalogue, fsynced and quoted.
func BenchmarkOneChange51300(b *testing.B) {
	dir := b.TempDir()
	fillFolder(b, dir, 51_300, 0)
	store, err := badger.Open(dir, badger.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	c := openCatalogue(b, store, bundles.Options{})
	quoter := engine.NewQuoter()
	for fee := int64(1); b.Loop(); fee++ {
		bundle := plainBundle("CHEAPEST", fee%40)
		if _, err := c.Import(b.Context(), tester, bundles.Document{Bundles: []bundles.Bundle{bundle}}, asItIs(bundles.ImportMerge)); err != nil {
			b.Fatal(err)
		}
		answer, err := quoter.Quotes(c.Current(), payment(firstEC), engine.Options{Order: engine.OrderFee})
		if err != nil || answer.Quotes[0].Bundle.ID != "CHEAPEST" || answer.Quotes[0].NetCents != fee%40 {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpload10000 takes 10 000 bundles into a catalogue, checked, all or nothing: new ones, changed
// ones and unchanged ones.
func BenchmarkUpload10000(b *testing.B) {
	store, err := badger.Open(b.TempDir(), badger.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	c := openCatalogue(b, store, bundles.Options{})
	d := market(10_000, 0)
	upload := func(b *testing.B) {
		if _, err := c.Import(b.Context(), tester, d, asItIs(bundles.ImportMerge)); err != nil {
			b.Fatal(err)
		}
	}
	round := 0
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			round++
			for i := range d.Bundles {
				d.Bundles[i].ID = fmt.Sprintf("%d-%d", round, i)
			}
			upload(b)
			if round == 3 { // a larger catalogue is another benchmark
				b.StopTimer()
				if _, err := c.Import(b.Context(), tester, bundles.Document{}, asItIs(bundles.ImportReplaceAll)); err != nil {
					b.Fatal(err)
				}
				round = 0
				b.StartTimer()
			}
		}
	})
	b.Run("changed", func(b *testing.B) {
		for b.Loop() {
			round++
			for i := range d.Bundles {
				d.Bundles[i].Fee.FlatCents = int64(50 + round%100)
			}
			upload(b)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for b.Loop() {
			upload(b)
		}
	})
}

// TestResidentMemory reports the memory of this process with a large catalogue; it runs where
// GEC_TEST_MEMORY names the number of subscriptions, alone in its process.
func TestResidentMemory(t *testing.T) {
	var subscriptions int
	if _, err := fmt.Sscan(os.Getenv("GEC_TEST_MEMORY"), &subscriptions); err != nil {
		t.Skip("GEC_TEST_MEMORY is not set")
	}
	dir := os.Getenv("GEC_TEST_MEMORY_FOLDER")
	if _, err := os.Stat(dir); err != nil {
		store, err := badger.Open(dir, badger.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		c := openCatalogue(t, store, bundles.Options{})
		mustImport(t, c, market(51_300, subscriptions), asItIs(bundles.ImportReplaceAll))
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		return // the second run measures
	}
	store, err := badger.Open(dir, badger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	c := openCatalogue(t, store, bundles.Options{})
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") || strings.HasPrefix(line, "RssFile") || strings.HasPrefix(line, "RssAnon") {
			t.Log(strings.TrimSpace(line))
		}
	}
	t.Log(c.Current().Len(), "bundles")
}
