package bundles_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gec/bundles"
	"gec/bundles/internal/draw"
	"gec/engine"
)

func TestCodecBundleRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := draw.Bundle().Draw(t, "bundle")
		document := bundles.EncodeBundle(&want)
		got, err := bundles.DecodeBundle(document)
		if err != nil {
			t.Fatalf("DecodeBundle(%s): %v", document, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\ndecoded (-want +got):\n%s", document, diff)
		}
		if !bytes.Equal(document, bundles.EncodeBundle(&got)) {
			t.Fatal("the same bundle has other bytes")
		}
		if !json.Valid(document) {
			t.Fatalf("no JSON: %s", document)
		}
	})
}

func TestCodecSubscriptionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := draw.Subscription().Draw(t, "subscription")
		document := bundles.EncodeSubscription(&want)
		got, err := bundles.DecodeSubscription(document)
		if err != nil {
			t.Fatalf("DecodeSubscription(%s): %v", document, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\ndecoded (-want +got):\n%s", document, diff)
		}
	})
}

func TestCodecSettingsAndIssuersRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := draw.Settings().Draw(t, "settings")
		issuers := want.Issuers
		want.Issuers = nil
		got, err := bundles.DecodeSettings(bundles.EncodeSettings(&want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("settings (-want +got):\n%s", diff)
		}
		for _, issuer := range issuers {
			if got, err := bundles.DecodeIssuer(bundles.EncodeIssuer(issuer)); err != nil || got != issuer {
				t.Fatalf("issuer %v became %v, %v", issuer, got, err)
			}
		}
	})
}

// The stored form is part of the data on disk: these bytes must stay readable for ever.
func TestCodecStoredFormIsFixed(t *testing.T) {
	b := fullBundle()
	const want = `{"id":"B1","idPsp":"ABI14156","idChannel":"CH","idBrokerPsp":"BR","abi":"14156",` +
		`"pspBusinessName":"Banca \"Uno\"","name":"Carte","description":"Città","descriptions":{"DE":"Karten","EN":"Cards"},` +
		`"urlPolicyPsp":"https://psp.example","idCdi":"CDI-1","origin":"feelist","type":"PRIVATE","paymentType":"CP",` +
		`"touchpoint":"IO","minPaymentAmount":0,"maxPaymentAmount":5000,` +
		`"fee":{"flat":50,"perNotice":10,"bps":25,"min":60,"max":900,"steps":[{"upTo":1000,"fee":5},{"fee":{"bps":10,"max":100}}]},` +
		`"transferCategoryList":["0102100SA"],"cart":true,"digitalStamp":true,"digitalStampRestriction":true,"onUs":true,` +
		`"validityDateFrom":"2026-11-21","validityDateTo":"2027-12-31",` +
		`"schedule":[{"days":["MON","SUN"],"from":"22:00","to":"06:30"}],"when":"notices == 1",` +
		`"languageVersion":1,"insertedDate":"2026-11-20T10:00:00Z","lastUpdatedDate":"2026-11-21T10:00:00.000000001Z","revision":7}`
	if diff := cmp.Diff(want, string(bundles.EncodeBundle(&b))); diff != "" {
		t.Errorf("EncodeBundle (-want +got):\n%s", diff)
	}
	got, err := bundles.DecodeBundle([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, got); diff != "" {
		t.Errorf("DecodeBundle (-want +got):\n%s", diff)
	}
}

func TestCodecRefusesWhatItDidNotWrite(t *testing.T) {
	whole := fullBundle()
	document := string(bundles.EncodeBundle(&whole))
	for name, bad := range map[string]string{
		"empty":           ``,
		"no object":       `[]`,
		"cut short":       document[:len(document)-1],
		"bytes after":     document + `{}`,
		"unknown field":   strings.Replace(document, `"when"`, `"whenever"`, 1),
		"no id":           strings.Replace(document, `"id":"B1",`, ``, 1),
		"no date":         strings.Replace(document, `2026-11-21`, `2026-13-21`, 1),
		"no type":         strings.Replace(document, `PRIVATE`, `SECRET`, 1),
		"float of money":  strings.Replace(document, `"maxPaymentAmount":5000`, `"maxPaymentAmount":50.5`, 1),
		"int64 overflow":  strings.Replace(document, `"maxPaymentAmount":5000`, `"maxPaymentAmount":9223372036854775808`, 1),
		"no day":          strings.Replace(document, `"SUN"`, `"DOM"`, 1),
		"no time":         strings.Replace(document, `"22:00"`, `"25:00"`, 1),
		"unknown in fee":  strings.Replace(document, `"bps":25`, `"percent":25`, 1),
		"unknown in step": strings.Replace(document, `"upTo"`, `"below"`, 1),
	} {
		if b, err := bundles.DecodeBundle([]byte(bad)); !errors.Is(err, bundles.ErrCorrupt) {
			t.Errorf("%s: got %+v, %v; want ErrCorrupt", name, b, err)
		}
	}
	for _, bad := range []string{``, `{}`, `{"id":"a"}`, `{"id":"a","idBundle":"b","x":1}`, `{"id":"a","idBundle":"b","attributes":[{"transferCategoryRelation":"LIKE"}]}`} {
		if s, err := bundles.DecodeSubscription([]byte(bad)); !errors.Is(err, bundles.ErrCorrupt) {
			t.Errorf("subscription %s: got %+v, %v; want ErrCorrupt", bad, s, err)
		}
	}
	for _, bad := range []string{``, `{"x":1}`, `{"touchpoints":[1]}`, `{} {}`} {
		if s, err := bundles.DecodeSettings([]byte(bad)); !errors.Is(err, bundles.ErrCorrupt) {
			t.Errorf("settings %s: got %+v, %v; want ErrCorrupt", bad, s, err)
		}
		if r, err := bundles.DecodeIssuer([]byte(bad)); !errors.Is(err, bundles.ErrCorrupt) {
			t.Errorf("issuer %s: got %+v, %v; want ErrCorrupt", bad, r, err)
		}
	}
}

func FuzzDecodeBundle(f *testing.F) {
	b := fullBundle()
	f.Add(bundles.EncodeBundle(&b))
	f.Add([]byte(`{"id":"a","id":"b","id":"c","fee":{"steps":[{}]},"schedule":[{}]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		b, err := bundles.DecodeBundle(document)
		if err != nil {
			return
		}
		again, err := bundles.DecodeBundle(bundles.EncodeBundle(&b))
		if err != nil {
			t.Fatalf("accepted %q, but not its own form %s: %v", document, bundles.EncodeBundle(&b), err)
		}
		if !bytes.Equal(bundles.EncodeBundle(&b), bundles.EncodeBundle(&again)) {
			t.Fatalf("%q is not stable:\n%s\n%s", document, bundles.EncodeBundle(&b), bundles.EncodeBundle(&again))
		}
	})
}

func BenchmarkDecodeBundle(b *testing.B) {
	full := fullBundle()
	plain := bundles.Bundle{Bundle: full.Bundle, Inserted: full.Inserted, Updated: full.Updated, Revision: 7, Origin: bundles.OriginFeeList}
	plain.Schedule, plain.When, plain.Fee = nil, "", engine.Fee{FlatCents: 150}
	for name, bundle := range map[string]bundles.Bundle{"plain": plain, "full": full} {
		document := bundles.EncodeBundle(&bundle)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(document)))
			for b.Loop() {
				got, err := bundles.DecodeBundle(document)
				if err != nil || got.ID != bundle.ID {
					b.Fatal(got, err)
				}
			}
		})
	}
}

func BenchmarkEncodeBundle(b *testing.B) {
	full := fullBundle()
	b.ReportAllocs()
	for b.Loop() {
		if len(bundles.EncodeBundle(&full)) < 100 {
			b.Fatal("too short")
		}
	}
}

func cents(n int64) *int64 { return &n }

// fullBundle uses every field.
func fullBundle() bundles.Bundle {
	return bundles.Bundle{
		Bundle: engine.Bundle{
			ID: "B1", PSP: "ABI14156", Channel: "CH", Broker: "BR", ABI: "14156", PSPBusinessName: `Banca "Uno"`,
			Name: "Carte", Description: "Città", Type: engine.Private, PaymentType: "CP", Touchpoint: "IO",
			Band: engine.Band{MinCents: 0, MaxCents: 5000}, TransferCategories: []string{"0102100SA"},
			Cart: true, DigitalStamp: true, DigitalStampOnly: true, OnUs: true,
			Validity: engine.Period{From: 20261121, To: 20271231},
			Schedule: engine.Schedule{{Days: 1<<1 | 1<<7, FromMinute: 22 * 60, ToMinute: 6*60 + 30}},
			When:     "notices == 1",
			Fee: engine.Fee{FlatCents: 50, PerNoticeCents: 10, BasisPoints: 25, MinCents: cents(60), MaxCents: cents(900),
				Steps: []engine.FeeStep{
					{UpToCents: cents(1000), Fee: engine.Fee{FlatCents: 5}},
					{Fee: engine.Fee{BasisPoints: 10, MaxCents: cents(100)}},
				}},
		},
		PolicyURL: "https://psp.example", CDI: "CDI-1", Descriptions: map[string]string{"EN": "Cards", "DE": "Karten"},
		Origin: bundles.OriginFeeList, LanguageVersion: 1, Revision: 7,
		Inserted: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), Updated: time.Date(2026, 11, 21, 10, 0, 0, 1, time.UTC),
	}
}
