package format_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/bundles/format"
)

func FuzzNativeJSON(f *testing.F) {
	seed(f, "*.json")
	fuzz(f, format.Native, format.WriteOptions{})
}

func FuzzNativeYAML(f *testing.F) {
	seed(f, "*.yaml")
	fuzz(f, format.Native, format.WriteOptions{YAML: true})
}

func FuzzSnapshot(f *testing.F) {
	seed(f, "*.json")
	f.Add([]byte(`{"config":{"amountThreshold":5000,"pspBlacklist":null},"touchpoints":["IO"],"paymentTypes":[],"issuers":[{"low":1,"high":2,"abi":14156}],
		"bundles":[{"id":"a","type":"global","abi":14156,"maxPaymentAmount":9,"paymentAmount":1,"validityDateFrom":[2026,11,21],"touchpoint":null,
		"validityDateTo":"2026-11-21T23:30:00Z","x":[1],"ciBundleList":[{"id":"s","attributes":[{"maxPaymentAmount":1,"transferCategoryRelation":"not_equal"}]}]}]}`))
	fuzz(f, format.Snapshot, format.WriteOptions{})
}

func FuzzFeeList(f *testing.F) {
	f.Add([]byte(`{"content":[{"psp_id":"P","importo_minimo":0.0,"importo_massimo":300.01,"costo_fisso":1.33,"tipo_vers_cod":"CP","on_us":true,"carte":true},
		{"psp_id":"P","importo_minimo":300.02,"importo_massimo":300.01,"costo_fisso":1,"tipo_vers_cod":"CP","on_us":true,"carte":true,"is_duplicated":true,"codice_abi":7601}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, ok := readHostile(t, format.FeeList, data)
		if !ok {
			return
		}
		for i := range d.Bundles { // the list cannot say these, though its reader takes them
			if b := &d.Bundles[i]; b.PaymentType == "" || b.Band.MinCents >= b.Band.MaxCents || b.Fee.FlatCents > 100_000_000 || b.PSP == "" || b.PSP == "None" {
				return
			}
		}
		identical(t, format.FeeList, d, format.WriteOptions{})
	})
}

// seed adds the golden files.
func seed(f *testing.F, pattern string) {
	for _, folder := range []string{"testdata", "testdata/faults"} {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

func fuzz(f *testing.F, name format.Name, o format.WriteOptions) {
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, ok := readHostile(t, name, data); ok {
			identical(t, name, d, o)
		}
	})
}

// readHostile reads any bytes: a document, or faults that say where.
func readHostile(t *testing.T, name format.Name, data []byte) (bundles.Document, bool) {
	check := func(d *bundles.Document) (bundles.Faults, []bundles.Fault) {
		return bundles.CheckDocument(d, nil, 20261121, name != format.Native, nil)
	}
	if _, _, err := format.Read(name, bytes.NewReader(data), format.ReadOptions{Check: check, CloseHoles: true}); err != nil && !errors.As(err, new(bundles.Faults)) {
		t.Fatalf("%q: %v", data, err)
	}
	d, _, err := format.Read(name, bytes.NewReader(data), format.ReadOptions{})
	return d, err == nil
}

// identical requires that what was read is read again from what is written of it.
func identical(t *testing.T, name format.Name, d bundles.Document, o format.WriteOptions) {
	ids := map[string]bool{}
	for i := range d.Bundles {
		if ids[d.Bundles[i].ID] { // whose subscriptions are whose is then open
			return
		}
		ids[d.Bundles[i].ID] = true
	}
	var file bytes.Buffer
	if err := format.Write(name, &file, d, o); err != nil {
		if name == format.Snapshot {
			return
		}
		t.Fatal(err)
	}
	again, _, err := format.Read(name, bytes.NewReader(file.Bytes()), format.ReadOptions{})
	if err != nil {
		t.Fatalf("%v\n%s", err, file.Bytes())
	}
	var second bytes.Buffer
	if err := format.Write(name, &second, again, o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), second.Bytes()) {
		t.Fatalf("written otherwise:\n%s", cmp.Diff(file.String(), second.String()))
	}
}
