package format_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/internal/draw"
	"gec/engine"
)

func TestA9RoundTripChangesNothing(t *testing.T) {
	for _, test := range []struct {
		title string
		name  format.Name
		o     format.WriteOptions
	}{
		{"native JSON", format.Native, format.WriteOptions{}},
		{"native YAML", format.Native, format.WriteOptions{YAML: true}},
		{"snapshot", format.Snapshot, format.WriteOptions{}},
	} {
		t.Run(test.title, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := draw.Document(test.name == format.Native).Draw(t, "document")
				if test.name == format.Snapshot {
					for i := range want.Bundles { // the reader gives an origin to every bundle without one
						if want.Bundles[i].Origin == "" {
							want.Bundles[i].Origin = bundles.OriginSnapshot
						}
					}
				}
				var file bytes.Buffer
				if err := format.Write(test.name, &file, want, test.o); err != nil {
					t.Fatal(err)
				}
				got, warnings, err := format.Read(test.name, bytes.NewReader(file.Bytes()), format.ReadOptions{})
				if err != nil || len(warnings) > 0 {
					t.Fatalf("%v %v\n%s", err, warnings, file.Bytes())
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s\nread back (-want +got):\n%s", file.Bytes(), diff)
				}
			})
		})
	}
}

func TestA9FeeListRoundTripChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := feeListOf(t, anyFeeListBundles(t))
		d, _, err := format.Read(format.FeeList, bytes.NewReader(first), format.ReadOptions{})
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		second := feeListOf(t, d)
		if !bytes.Equal(first, second) {
			t.Fatalf("written otherwise:\n%s", cmp.Diff(string(first), string(second)))
		}
		again, _, err := format.Read(format.FeeList, bytes.NewReader(second), format.ReadOptions{})
		if diff := cmp.Diff(d, again); err != nil || diff != "" {
			t.Fatalf("%v, read back (-want +got):\n%s", err, diff)
		}
	})
}

func feeListOf(t *rapid.T, d bundles.Document) []byte {
	var file bytes.Buffer
	if err := format.Write(format.FeeList, &file, d, format.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// anyFeeListBundles draws bundles that the list can express, many of them alike.
func anyFeeListBundles(t *rapid.T) (d bundles.Document) {
	few := rapid.SampledFrom([]string{"A", "B"})
	text := rapid.StringN(1, 8, -1).Filter(func(s string) bool { return s != "None" })
	for range rapid.IntRange(0, 8).Draw(t, "bundles") {
		minCents := rapid.Int64Range(0, 3).Draw(t, "min")
		d.Bundles = append(d.Bundles, bundles.Bundle{
			Bundle: engine.Bundle{
				PSP: few.Draw(t, "psp"), ABI: few.Draw(t, "abi"), PSPBusinessName: text.Draw(t, "business name"), Name: text.Draw(t, "name"),
				Description: text.Draw(t, "description"), PaymentType: rapid.SampledFrom([]string{"CP", "PPAL", "RBPP", "RBPR", "NEW"}).Draw(t, "type"),
				Touchpoint: rapid.SampledFrom([]string{"ANY", "IO", "CHECKOUT", "CHECKOUT_CART"}).Draw(t, "touchpoint"),
				Band:       engine.Band{MinCents: minCents, MaxCents: minCents + rapid.Int64Range(1, 3).Draw(t, "width")},
				Cart:       true, OnUs: rapid.Bool().Draw(t, "on-us"), Fee: engine.Fee{FlatCents: rapid.Int64Range(0, engine.FeeCentsMax).Draw(t, "fee")},
			},
			PolicyURL: text.Draw(t, "url"),
		})
	}
	return d
}

func TestFeeListIDsDoNotDependOnTheOrderOfRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyFeeListBundles(t)
		shuffled := bundles.Document{Bundles: rapid.Permutation(d.Bundles).Draw(t, "order")}
		byID := map[string]bundles.Bundle{}
		read := func(d bundles.Document) bundles.Document {
			d, _, err := format.Read(format.FeeList, bytes.NewReader(feeListOf(t, d)), format.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		for _, b := range read(d).Bundles {
			if _, twice := byID[b.ID]; twice {
				t.Fatalf("two bundles are %s", b.ID)
			}
			byID[b.ID] = b
		}
		for _, b := range read(shuffled).Bundles {
			if diff := cmp.Diff(byID[b.ID], b); diff != "" {
				t.Fatalf("%s in another order (-want +got):\n%s", b.ID, diff)
			}
		}
	})
}
