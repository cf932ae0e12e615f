package format_test

import (
	"bytes"
	"fmt"
	"testing"

	"gec/bundles"
	"gec/bundles/format"
	"gec/engine"
)

// manyBundles is a document of n plain bundles.
func manyBundles(n int) bundles.Document {
	d := bundles.Document{Bundles: make([]bundles.Bundle, n)}
	for i := range d.Bundles {
		d.Bundles[i] = bundles.Bundle{
			Bundle: engine.Bundle{ID: fmt.Sprint("bundle-", i), PSP: fmt.Sprint("ABI", i%50), Channel: "14156_01", Broker: "00000014156", ABI: "14156",
				PSPBusinessName: "Banca Uno S.p.A.", Name: "Carta di debito o credito", Description: "Carta di debito o credito", PaymentType: "CP", Touchpoint: "IO",
				Band: engine.Band{MaxCents: int64(i + 1)}, Cart: true, Fee: engine.Fee{FlatCents: 150}},
			PolicyURL: "https://psp.example/fees", Origin: bundles.OriginSnapshot,
		}
	}
	return d
}

// The largest upload (spec 7, goal 21) fits YAML's bounds, too.
func TestYAMLHoldsTenThousandBundles(t *testing.T) {
	const bundlesMax = 10_000
	var file bytes.Buffer
	if err := format.Write(format.Native, &file, manyBundles(bundlesMax), format.WriteOptions{YAML: true}); err != nil {
		t.Fatal(err)
	}
	if d := mustRead(t, format.Native, file.Bytes(), format.ReadOptions{}); len(d.Bundles) != bundlesMax {
		t.Errorf("%d bundles", len(d.Bundles))
	}
}

// Who reads a document for a server is asked to rest between its bundles.
func TestReadersRestBetweenBundles(t *testing.T) {
	const count = 7
	for _, name := range []format.Name{format.Native, format.Snapshot} {
		var file bytes.Buffer
		if err := format.Write(name, &file, manyBundles(count), format.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		rests := 0
		if mustRead(t, name, file.Bytes(), format.ReadOptions{Rest: func() { rests++ }}); rests != count {
			t.Errorf("%s: %d rests at %d bundles", name, rests, count)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	const n = 10_000
	for _, bench := range []struct {
		title string
		name  format.Name
		o     format.WriteOptions
	}{{"native JSON", format.Native, format.WriteOptions{}}, {"native YAML", format.Native, format.WriteOptions{YAML: true}}, {"snapshot", format.Snapshot, format.WriteOptions{}}} {
		var file bytes.Buffer
		if err := format.Write(bench.name, &file, manyBundles(n), bench.o); err != nil {
			b.Fatal(err)
		}
		b.Run(bench.title, func(b *testing.B) {
			b.SetBytes(int64(file.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if d := mustRead(b, bench.name, file.Bytes(), format.ReadOptions{}); len(d.Bundles) != n {
					b.Fatal(len(d.Bundles))
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	d := manyBundles(10_000)
	for _, yaml := range []bool{false, true} {
		b.Run(fmt.Sprintf("YAML=%v", yaml), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var file bytes.Buffer
				if err := format.Write(format.Native, &file, d, format.WriteOptions{YAML: yaml}); err != nil || file.Len() < 1<<20 {
					b.Fatal(err)
				}
			}
		})
	}
}
