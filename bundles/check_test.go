package bundles_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gec/bundles"
	"gec/engine"
)

const today engine.Date = 20261121

func settings() *engine.Settings {
	return &engine.Settings{Touchpoints: []string{"IO", "CHECKOUT", "CHECKOUT_CART"}, PaymentTypes: []string{"CP", "PPAL", "MYBK"}}
}

// goodBundle passes every check.
func goodBundle() bundles.Bundle {
	return bundles.Bundle{Bundle: engine.Bundle{
		ID: "B1", PSP: "ABI14156", Channel: "CH", Broker: "BR", ABI: "14156", PSPBusinessName: "Banca Uno", Name: "Carte",
		Type: engine.Public, PaymentType: "CP", Touchpoint: "checkout", Band: engine.Band{MinCents: 0, MaxCents: 5000}, Cart: true, OnUs: true,
		TransferCategories: []string{"0102100SA", "0102101SA"}, Validity: engine.Period{From: today, To: today + 1},
		Schedule: engine.Schedule{{Days: 1 << 1, FromMinute: 22 * 60, ToMinute: 6 * 60}}, When: "notices == 1", Fee: engine.Fee{FlatCents: 100},
	}, Descriptions: map[string]string{"EN": "Cards"}, PolicyURL: "https://psp.example/fees"}
}

// flaw is one thing wrong with a bundle: the path and a part of the message that name it, and whether a
// lenient check refuses it too.
type flaw struct {
	name   string
	spoil  func(b *bundles.Bundle)
	path   string
	says   string
	always bool
}

func flaws() []flaw {
	long := strings.Repeat("x", 5000)
	return []flaw{
		{"A1 id", func(b *bundles.Bundle) { b.ID = "" }, "id", "is missing", true},
		{"A1 id as a path", func(b *bundles.Bundle) { b.ID = "../B1" }, "id", "is no id", true},
		{"A1 id length", func(b *bundles.Bundle) { b.ID = long }, "id", "5000 bytes", true},
		{"A1 id spaces", func(b *bundles.Bundle) { b.ID = " B1" }, "id", "is no id", true},
		{"A1 PSP", func(b *bundles.Bundle) { b.PSP = "" }, "idPsp", "is missing", true},
		{"A1 PSP length", func(b *bundles.Bundle) { b.PSP = strings.Repeat("x", 36) }, "idPsp", "use at most 35", false},
		{"A1 PSP spaces", func(b *bundles.Bundle) { b.PSP = "ABI " }, "idPsp", "spaces", false},
		{"A1 channel", func(b *bundles.Bundle) { b.Channel = "" }, "idChannel", "is missing", false},
		{"A1 broker", func(b *bundles.Bundle) { b.Broker = "" }, "idBrokerPsp", "is missing", false},
		{"A1 ABI", func(b *bundles.Bundle) { b.ABI = "" }, "abi", "is missing", false},
		{"A1 business name", func(b *bundles.Bundle) { b.PSPBusinessName = " " }, "pspBusinessName", "is missing", false},
		{"A1 name", func(b *bundles.Bundle) { b.Name = "" }, "name", "is missing", false},
		{"A1 name that shows nothing", func(b *bundles.Bundle) { b.Name = "\u200b\u00a0\u0301" }, "name", "is missing", false},
		{"A1 type", func(b *bundles.Bundle) { b.Type = 3 }, "type", "use GLOBAL, PUBLIC or PRIVATE", true},
		{"text NUL", func(b *bundles.Bundle) { b.Name = "a\x00b" }, "name", "control character U+0000", true},
		{"text UTF-8", func(b *bundles.Bundle) { b.Description = "a\xffb" }, "description", "not valid UTF-8", true},
		{"text line end", func(b *bundles.Bundle) { b.Description = "a\nb" }, "description", "control character U+000A", false},
		{"text direction", func(b *bundles.Bundle) { b.Name = "a\u202eb" }, "name", "control character U+202E", false},
		{"text length", func(b *bundles.Bundle) { b.Description = long }, "description", "use at most 4096", false},
		{"language", func(b *bundles.Bundle) { b.Descriptions = map[string]string{"english": "x"} }, "descriptions", "no language", false},
		{"language without a text", func(b *bundles.Bundle) { b.Descriptions = map[string]string{"DE": ""} }, "descriptions.DE", "leave the language out", false},
		{"policy URL of a user", func(b *bundles.Bundle) { b.PolicyURL = "https://pagopa.example@psp.example/" }, "urlPolicyPsp", "is no web address", false},
		{"policy URL with a space", func(b *bundles.Bundle) { b.PolicyURL = "https://psp.example/our fees" }, "urlPolicyPsp", "is no web address", false},
		{"policy URL of no host", func(b *bundles.Bundle) { b.PolicyURL = "https://:80/" }, "urlPolicyPsp", "is no web address", false},
		{"policy URL", func(b *bundles.Bundle) { b.PolicyURL = "javascript:alert(1)" }, "urlPolicyPsp", "is no web address", false},
		{"A2 touchpoint near", func(b *bundles.Bundle) { b.Touchpoint = "CHEKOUT" }, "touchpoint", "the nearest one is CHECKOUT", false},
		{"A2 touchpoint far", func(b *bundles.Bundle) { b.Touchpoint = "TELEPHONE" }, "touchpoint", "use one of IO, CHECKOUT, CHECKOUT_CART", false},
		{"A2 touchpoint", func(b *bundles.Bundle) { b.Touchpoint = "" }, "touchpoint", "use ANY", true},
		{"lists", func(b *bundles.Bundle) { b.TransferCategories = make([]string, 1001) }, "transferCategoryList", "use at most 1000", false},
		{"F2 steps are bounded", func(b *bundles.Bundle) { b.Fee.Steps = manySteps(1001) }, "fee.steps", "use at most 1000", false},
		{"languages are bounded", func(b *bundles.Bundle) { b.Descriptions = manyLanguages(21) }, "descriptions", "use at most 20", false},
		{"A2 payment type", func(b *bundles.Bundle) { b.OnUs, b.PaymentType = false, "PPLA" }, "paymentType", "the nearest one is PPAL", false},
		{"A2 on-us", func(b *bundles.Bundle) { b.PaymentType = "MYBK" }, "onUs", "only for payment type CP", false},
		{"A2 on-us of any type", func(b *bundles.Bundle) { b.PaymentType = "" }, "onUs", "only for payment type CP", false},
		{"A2 band minimum", func(b *bundles.Bundle) { b.Band.MinCents = -1 }, "minPaymentAmount", "is -1", true},
		{"A2 band", func(b *bundles.Bundle) { b.Band.MinCents = 5000 }, "maxPaymentAmount", "not above minPaymentAmount, which is 5000", true},
		{"F1 flat", func(b *bundles.Bundle) { b.Fee.FlatCents = -1 }, "paymentAmount", "is -1 cents", true},
		{"F1 percentage", func(b *bundles.Bundle) { b.Fee.BasisPoints = 10_001 }, "fee.bps", "10001", true},
		{"F2 steps", func(b *bundles.Bundle) { b.Fee.Steps = []engine.FeeStep{{UpToCents: ptr(5)}} }, "fee.steps[0].upTo", "closes the last step", true},
		{"A2 taxonomy", func(b *bundles.Bundle) { b.TransferCategories[1] = "0102100sa" }, "transferCategoryList[1]", "is no taxonomy code", false},
		{"A2 taxonomy repeated", func(b *bundles.Bundle) { b.TransferCategories[1] = "9/0102100SA/" }, "transferCategoryList[1]", "repeats", false},
		{"Q8 stamps only", func(b *bundles.Bundle) { b.DigitalStampOnly = true }, "digitalStampRestriction", "set both", false},
		{"A2 from", func(b *bundles.Bundle) { b.Validity.From = 20261120 }, "validityDateFrom", "in the past", false},
		{"A2 to", func(b *bundles.Bundle) { b.Validity = engine.Period{To: today} }, "validityDateTo", "not after today", false},
		{"A2 to before from", func(b *bundles.Bundle) { b.Validity = engine.Period{From: 20270102, To: 20270101} }, "validityDateTo", "before validityDateFrom", false},
		{"A2 calendar", func(b *bundles.Bundle) { b.Validity.To = 20270230 }, "validityDateTo", "20270230 is no date", true},
		{"A2 schedule empty", func(b *bundles.Bundle) { b.Schedule = engine.Schedule{} }, "schedule", "never be offered", true},
		{"A2 schedule days", func(b *bundles.Bundle) { b.Schedule[0].Days = 0 }, "schedule[0].days", "no day", true},
		{"A2 schedule from", func(b *bundles.Bundle) { b.Schedule[0].FromMinute = 1440 }, "schedule[0].from", "use 00:00 to 23:59", true},
		{"A2 schedule to", func(b *bundles.Bundle) { b.Schedule[0].ToMinute = 1441 }, "schedule[0].to", "use 00:00 to 24:00", true},
		{"E1 name", func(b *bundles.Bundle) { b.When = "amont > 1" }, "when", "at column 1", true},
	}
}

func manySteps(n int) (steps []engine.FeeStep) {
	for i := range n - 1 {
		steps = append(steps, engine.FeeStep{UpToCents: ptr(int64(i + 1))})
	}
	return append(steps, engine.FeeStep{})
}

func manyLanguages(n int) map[string]string {
	languages := map[string]string{}
	for i := range n {
		languages[string([]byte{'A' + byte(i), 'A'})] = "x"
	}
	return languages
}

func ptr(n int64) *int64 { return &n }

func TestA2EachFault(t *testing.T) {
	good := goodBundle()
	if faults := bundles.Check(&good, settings(), today); len(faults) > 0 {
		t.Fatalf("the good bundle has faults: %v", faults)
	}
	for _, f := range flaws() {
		t.Run(f.name, func(t *testing.T) {
			b := goodBundle()
			f.spoil(&b)
			faults := bundles.Check(&b, settings(), today)
			if len(faults) != 1 || faults[0].Path != f.path || !strings.Contains(faults[0].Error(), f.says) {
				t.Errorf("faults %q, want one of %s that says %q", faults, f.path, f.says)
			}
			errors, warnings := bundles.CheckLenient(&b, settings())
			if (len(errors) > 0) != f.always {
				t.Errorf("lenient: errors %q, warnings %q", errors, warnings)
			}
			past := strings.Contains(f.says, "past") || strings.Contains(f.says, "today")
			if !f.always && !past && len(warnings) != 1 {
				t.Errorf("lenient: warnings %q, want one", warnings)
			}
		})
	}
}

func TestA2AllFaultsAreReportedTogether(t *testing.T) {
	d := bundles.Document{}
	var want []string
	for i, f := range flaws() {
		b := goodBundle()
		b.ID = fmt.Sprint("B", i)
		f.spoil(&b)
		d.Bundles = append(d.Bundles, b)
		want = append(want, fmt.Sprintf("bundles[%d].%s", i, f.path))
	}
	faults, warnings := bundles.CheckDocument(&d, settings(), today, false, nil)
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

func TestA2DatesOfTheDay(t *testing.T) {
	for _, test := range []struct {
		validity engine.Period
		good     bool
	}{
		{engine.Period{}, true},
		{engine.Period{From: today}, true},
		{engine.Period{From: 20261120}, false},
		{engine.Period{To: 20261122}, true},
		{engine.Period{To: today}, false},
		{engine.Period{From: 20261122, To: 20261122}, true},
	} {
		b := goodBundle()
		b.Validity = test.validity
		if faults := bundles.Check(&b, settings(), today); (len(faults) == 0) != test.good {
			t.Errorf("%v: %v", test.validity, faults)
		}
	}
}

func TestA4StoredBundles(t *testing.T) {
	running, expired := goodBundle(), goodBundle()
	running.Validity = engine.Period{From: 20260101}
	running.Revision = 7
	expired.ID, expired.Validity = "B2", engine.Period{From: 20250101, To: 20251231}
	stored := func(id string) (*bundles.Bundle, bool) {
		b, ok := map[string]*bundles.Bundle{"B1": &running, "B2": &expired}[id]
		return b, ok
	}
	check := func(all ...bundles.Bundle) string {
		faults, _ := bundles.CheckDocument(&bundles.Document{Bundles: all}, settings(), today, false, stored)
		return faults.Error()
	}
	same, sameExpired := running, expired
	same.Revision = 0
	if got := check(same, sameExpired); got != "" {
		t.Errorf("an export that is imported again: %s", got)
	}
	cheaper := running
	cheaper.Fee.FlatCents = 50
	if got := check(cheaper); got != "" {
		t.Errorf("a change of a running bundle: %s", got)
	}
	cheaper.Validity.From = 20260102
	if got := check(cheaper); !strings.Contains(got, "in the past") {
		t.Errorf("a beginning moved in the past: %s", got)
	}
	touched := expired
	touched.Validity.To = 0
	if got := check(touched); !strings.Contains(got, `"B2" expired on 2025-12-31 and may not be changed`) {
		t.Errorf("an expired bundle: %s", got)
	}
}

func TestDocumentDuplicateBundles(t *testing.T) {
	a, b := goodBundle(), goodBundle()
	for _, lenient := range []bool{false, true} {
		faults, _ := bundles.CheckDocument(&bundles.Document{Bundles: []bundles.Bundle{a, b}}, settings(), today, lenient, nil)
		if got, want := faults.Error(), `bundles[1].id: "B1" is the id of bundles[0] too; give each bundle an id of its own`; got != want {
			t.Errorf("lenient %v: %q, want %q", lenient, got, want)
		}
	}
}

func TestDocumentSettings(t *testing.T) {
	d := bundles.Document{Settings: &engine.Settings{
		ThresholdCents: -1, Touchpoints: []string{"IO", "", "io", "ANY"}, PaymentTypes: []string{"CP"},
		Issuers: []engine.IssuerRange{{Low: 5, High: 4, ABI: "1"}, {Low: -1, High: 4, ABI: "1"}, {Low: 1, High: 1}},
	}}
	faults, _ := bundles.CheckDocument(&d, settings(), today, false, nil)
	want := strings.Join([]string{
		"config.amountThreshold: is -1; use 0 or more cents",
		"issuers[0].high: is 4, below low, which is 5; both ends are part of the range",
		"issuers[1].low: is -1; use a card number of up to 19 digits",
		`issuers[2].abi: "" is no ABI; name the bank that issued the cards`,
		"touchpoints[1]: is missing; it is mandatory",
		`touchpoints[2]: "io" is the touchpoint of touchpoints[0] too, ignoring case; name each once`,
		"touchpoints[3]: is ANY, the word for all of them; leave it out: it need not be registered",
	}, "\n")
	if diff := cmp.Diff(want, faults.Error()); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestDocumentSettingsDecideWhatIsRegistered(t *testing.T) {
	d := bundles.Document{Settings: &engine.Settings{Touchpoints: []string{"ATM"}, PaymentTypes: []string{"CP"}}, Bundles: []bundles.Bundle{goodBundle()}}
	faults, _ := bundles.CheckDocument(&d, settings(), today, false, nil)
	if got := faults.Error(); !strings.Contains(got, `bundles[0].touchpoint: "checkout" is not a registered touchpoint; use one of ATM`) {
		t.Error(got)
	}
}

func TestA17Subscriptions(t *testing.T) {
	global, public := goodBundle(), goodBundle()
	global.ID, global.Type = "G", engine.Global
	sub := func(bundle, id, ec string, validity engine.Period, attributes ...engine.Attribute) bundles.Subscription {
		return bundles.Subscription{Subscription: engine.Subscription{ID: id, BundleID: bundle, CreditorInstitution: ec, Validity: validity, Attributes: attributes}}
	}
	attribute := func(cents int64, category string, notEqual bool) engine.Attribute {
		return engine.Attribute{MaxPaymentAmountCents: cents, TransferCategory: category, NotEqual: notEqual}
	}
	open := engine.Period{}
	d := bundles.Document{Bundles: []bundles.Bundle{global, public}, Subscriptions: []bundles.Subscription{
		sub("B1", "S0", "77777777777", open, attribute(100, "0102100SA", false), attribute(100, "0102100SA", true)),
		sub("B1", "S1", "777", open),
		sub("B1", "S2", "11111111111", open, attribute(101, "", false)),
		sub("B1", "S3", "22222222222", open, attribute(-1, "", false), attribute(1, "0102100SA", false), attribute(1, "9/0102100SA/", false)),
		sub("B1", "S4", "33333333333", open, attribute(1, "12", false)),
		sub("B1", "S5", "44444444444", open, attribute(1, "", true)),
		sub("B1", "S6", "55555555555", engine.Period{From: 20300101}),
		sub("B1", "S0", "66666666666", open),
		sub("B1", "S8", "77777777777", open),
		sub("B1", "", "88888888888", engine.Period{From: today + 1, To: today}),
		sub("G", "S0", "77777777777", open),
		sub("X", "S0", "77777777777", open),
	}}
	want := strings.Join([]string{
		"bundles[0].subscriptions[0]: is for a GLOBAL bundle, whose fee is the PSP's alone; only PUBLIC and PRIVATE bundles have subscriptions",
		`bundles[1].subscriptions[1].ciFiscalCode: "777" is no tax code of an EC; use its 11 digits`,
		"bundles[1].subscriptions[2].attributes[0].maxPaymentAmount: is 101, above the lowest fee of the bundle; use at most 100 cents",
		"bundles[1].subscriptions[3].attributes[0]: has no transferCategory, and so is for all of them, but is not the only attribute; leave the others out, or name its category",
		"bundles[1].subscriptions[3].attributes[0].maxPaymentAmount: is -1; use 0 or more cents",
		"bundles[1].subscriptions[3].attributes[2]: has the category and the relation of attributes[1]; keep one of the two",
		`bundles[1].subscriptions[4].attributes[0].transferCategory: "12" is no taxonomy code; write seven digits and two capital letters, as in 0102100SA or 9/0102100SA/`,
		"bundles[1].subscriptions[5].attributes[0].transferCategoryRelation: is NOT_EQUAL to no category; name the category, or leave the relation out",
		"bundles[1].subscriptions[6].validityDateFrom: the period is not inside that of the bundle; the bundle is valid from 2026-11-21 to 2026-11-22",
		`bundles[1].subscriptions[7].id: "S0" is the id of bundles[1].subscriptions[0] too; give each subscription of a bundle an id of its own`,
		`bundles[1].subscriptions[8].ciFiscalCode: "77777777777" subscribes to the bundle in bundles[1].subscriptions[0] too, at the same time; an EC has one subscription to a bundle at a time`,
		"bundles[1].subscriptions[9].id: is missing; give it an id that nothing else has",
		"bundles[1].subscriptions[9].validityDateTo: is 2026-11-21, before validityDateFrom, which is 2026-11-22; the subscription would never be valid",
		`subscriptions[0].idBundle: bundle "X" does not exist; name a bundle of the document or of the catalogue`,
	}, "\n")
	faults, _ := bundles.CheckDocument(&d, settings(), today, false, nil)
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(faults.Error(), "\n")); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}

	faults, warnings := bundles.CheckDocument(&d, settings(), today, true, nil)
	var paths []string
	for _, f := range faults {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{
		"bundles[1].subscriptions[3].attributes[0].maxPaymentAmount", "bundles[1].subscriptions[7].id",
		"bundles[1].subscriptions[9].id", "subscriptions[0].idBundle",
	}, paths); diff != "" || len(warnings) != 10 {
		t.Errorf("lenient errors (-want +got):\n%s\nwarnings: %v", diff, warnings)
	}

	stored := func(id string) (*bundles.Bundle, bool) { return &public, id == "X" }
	d.Subscriptions = d.Subscriptions[len(d.Subscriptions)-1:]
	if faults, _ := bundles.CheckDocument(&d, settings(), today, false, stored); len(faults) > 0 {
		t.Errorf("a subscription to a stored bundle: %v", faults)
	}
}

func TestSuggestionOfNames(t *testing.T) {
	b := goodBundle()
	many := settings()
	for i := range 12 {
		many.Touchpoints = append(many.Touchpoints, fmt.Sprint("T", i))
	}
	b.Touchpoint = "TELEPHONE"
	for want, s := range map[string]*engine.Settings{
		"none is registered": nil,
		"use one of IO, CHECKOUT, CHECKOUT_CART, T0, T1, T2, T3, T4, T5, T6, T7, T8 and 3 others": many,
	} {
		if got := bundles.Check(&b, s, today).Error(); !strings.Contains(got, `touchpoint: "TELEPHONE" is not a registered touchpoint; `+want) {
			t.Error(got)
		}
	}
}

func TestA11PeriodOfASubscriptionLiesInThatOfItsBundle(t *testing.T) {
	for _, test := range []struct {
		bundle, subscription engine.Period
		want                 string
	}{
		{engine.Period{}, engine.Period{From: 20300101, To: 20310101}, ""},
		{engine.Period{From: 20270101, To: 20271231}, engine.Period{}, ""},
		{engine.Period{From: 20270101, To: 20271231}, engine.Period{From: 20270101, To: 20271231}, ""},
		{engine.Period{From: 20270101, To: 20271231}, engine.Period{From: 20270101, To: 20280101}, "from 2027-01-01 to 2027-12-31"},
		{engine.Period{From: 20270101}, engine.Period{From: 20261231}, "from 2027-01-01 on"},
		{engine.Period{To: 20271231}, engine.Period{From: 20280101}, "until 2027-12-31"},
	} {
		b := goodBundle()
		b.Validity = test.bundle
		s := bundles.Subscription{Subscription: engine.Subscription{ID: "S", BundleID: b.ID, CreditorInstitution: "77777777777", Validity: test.subscription}}
		faults, _ := bundles.CheckDocument(&bundles.Document{Bundles: []bundles.Bundle{b}, Subscriptions: []bundles.Subscription{s}}, settings(), today, false, nil)
		if test.want == "" && len(faults) > 0 || test.want != "" && !strings.HasSuffix(faults.Error(), "the bundle is valid "+test.want) {
			t.Errorf("%v in %v: %v", test.subscription, test.bundle, faults)
		}
	}
}

func TestFaultsAreBounded(t *testing.T) {
	d := bundles.Document{Bundles: make([]bundles.Bundle, 5000)}
	faults, _ := bundles.CheckDocument(&d, settings(), today, false, nil)
	if len(faults) != 10_001 {
		t.Errorf("%d faults are kept", len(faults))
	}
	if got := strings.Count(faults.Error(), "\n"); got != 20 || !strings.HasSuffix(faults.Error(), "and 9981 more faults") {
		t.Errorf("Error has %d line ends: %s", got, faults.Error())
	}
}

func TestFaultsSortAsPeopleRead(t *testing.T) {
	faults := bundles.Faults{
		{Line: 3, Column: 1}, {Line: 2, Column: 9}, {Line: 2, Column: 1, Path: "z"},
		{Path: "bundles[12].name"}, {Path: "bundles[2].name"}, {Path: "bundles[2].abi"}, {Path: "bundles"}, {Path: "bundles[2]"},
	}
	want := "bundles: ; bundles[2]: ; bundles[2].abi: ; bundles[2].name: ; bundles[12].name: ; 2:1: z: ; 2:9: ; 3:1: "
	if got := strings.ReplaceAll(faults.Err().Error(), "\n", "; "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if (bundles.Faults{}).Err() != nil {
		t.Error("no faults are an error")
	}
}

func TestFaultsUnder(t *testing.T) {
	faults := bundles.Faults{{Path: ""}, {Path: "name"}, {Path: "[3].x"}}.Under("bundles[1]")
	if diff := cmp.Diff(bundles.Faults{{Path: "bundles[1]"}, {Path: "bundles[1].name"}, {Path: "bundles[1][3].x"}}, faults); diff != "" {
		t.Error(diff)
	}
}

func TestExcerptCannotForgeALine(t *testing.T) {
	if got := bundles.Excerpt("a\nb\x1b" + strings.Repeat("è", 100)); got != `"a\nb\x1b`+strings.Repeat("è", 36)+`"…` {
		t.Error(got)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"IO", "CHECKOUT", "CHECKOUT_CART", "maxPaymentAmount"}
	for name, want := range map[string]string{
		"CHEKOUT": "CHECKOUT", "checkout": "CHECKOUT", "OI": "IO", "MaxPayment": "", "maxPaymentAmout": "maxPaymentAmount",
		"xyz": "", "": "", "CHECKOUTCART": "CHECKOUT_CART", strings.Repeat("x", 1<<20): "",
	} {
		if got := bundles.Nearest(name, known); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", name, got, want)
		}
	}
}

func BenchmarkCheckDocument(b *testing.B) {
	d := bundles.Document{Bundles: make([]bundles.Bundle, 10_000)}
	for i := range d.Bundles {
		d.Bundles[i] = goodBundle()
		d.Bundles[i].ID = fmt.Sprint("B", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if faults, _ := bundles.CheckDocument(&d, settings(), today, false, nil); len(faults) > 0 {
			b.Fatal(faults)
		}
	}
}
