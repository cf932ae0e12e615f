package fragment

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gec/engine"
)

func row(t interface{ Fatalf(string, ...any) }, b *engine.Bundle) map[string]any {
	text := string(Of(b).(*Fragment).Row())
	var members map[string]any
	if err := json.Unmarshal([]byte(strings.TrimSuffix(text, ",")+"}"), &members); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return members
}

func TestQ3AnyTypeIsShownAsANY(t *testing.T) {
	if got := row(t, &engine.Bundle{})["paymentMethod"]; got != "ANY" {
		t.Errorf("payment method of a bundle of any type is %v", got)
	}
}

func TestAbsentValuesAreNull(t *testing.T) {
	want := map[string]any{
		"paymentMethod": "CP", "touchpoint": "IO", "idBundle": "b", "bundleName": nil, "bundleDescription": nil,
		"idPsp": "P", "idChannel": nil, "idBrokerPsp": nil, "abi": nil, "pspBusinessName": nil,
	}
	if diff := cmp.Diff(want, row(t, &engine.Bundle{ID: "b", PSP: "P", PaymentType: "CP", Touchpoint: "IO"})); diff != "" {
		t.Error(diff)
	}
}

func TestRowSaysAllTexts(t *testing.T) {
	text := rapid.StringN(1, 40, -1)
	rapid.Check(t, func(t *rapid.T) {
		b := &engine.Bundle{
			ID: text.Draw(t, "id"), PSP: text.Draw(t, "psp"), Channel: text.Draw(t, "channel"),
			Broker: text.Draw(t, "broker"), ABI: text.Draw(t, "abi"), PSPBusinessName: text.Draw(t, "business name"),
			Name: text.Draw(t, "name"), Description: text.Draw(t, "description"),
			PaymentType: text.Draw(t, "payment type"), Touchpoint: text.Draw(t, "touchpoint"),
		}
		want := map[string]any{
			"paymentMethod": b.PaymentType, "touchpoint": b.Touchpoint, "idBundle": b.ID, "bundleName": b.Name,
			"bundleDescription": b.Description, "idPsp": b.PSP, "idChannel": b.Channel, "idBrokerPsp": b.Broker,
			"abi": b.ABI, "pspBusinessName": b.PSPBusinessName,
		}
		if diff := cmp.Diff(want, row(t, b)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", `quote " and \`, "\x00\x1f\x7f", "perché €", "\u2028</script>", "\xff\xfe", "😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		text := AppendString([]byte("x"), s)
		if err := json.Unmarshal(text[1:], &got); err != nil || text[0] != 'x' {
			t.Fatalf("%q became %q: %v", s, text, err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); got != want || !utf8.Valid(text) {
			t.Errorf("%q reads back as %q", s, got)
		}
	})
}
