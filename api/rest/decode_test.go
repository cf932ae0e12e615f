package rest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gec/api/problem"
	"gec/engine"
)

// read decodes a body with a fresh decoder.
func read(body string, c contract, psp string) (*engine.Payment, error) {
	var d decoder
	if err := d.decode([]byte(body), c, psp); err != nil {
		return nil, err
	}
	return &d.payment, nil
}

// The bodies of a plain payment, with a gap for more members.
const (
	plainV1 = `{"paymentAmount":100,"primaryCreditorInstitution":"77777777777","transferList":[{"creditorInstitution":"77777777777"}]%s}`
	plainV2 = `{"paymentNotice":[{"paymentAmount":100,"primaryCreditorInstitution":"77777777777","transferList":[{"creditorInstitution":"77777777777"}]}]%s}`
)

func plainPayment(change func(*engine.Payment)) *engine.Payment {
	p := &engine.Payment{Notices: []engine.Notice{{
		AmountCents: 100, CreditorInstitution: "77777777777",
		Transfers: []engine.Transfer{{CreditorInstitution: "77777777777"}},
	}}}
	if change != nil {
		change(p)
	}
	return p
}

func TestDecodeReadsEverything(t *testing.T) {
	const common = `"bin":"123456","paymentMethod":"CP","touchpoint":"IO",`
	const list = `"idPspList":[{"idPsp":"A","idChannel":"c","idBrokerPsp":"b"},{"idPsp":"B"}],`
	const own = `"idChannel":"c","idBrokerPsp":"b",`
	const first = `"paymentAmount":101,"primaryCreditorInstitution":"1","transferList":[{"creditorInstitution":"1","transferCategory":"9/0102100SA/","digitalStamp":true},{"creditorInstitution":"2"}]`
	const second = `"transferList":[{"digitalStamp":false,"creditorInstitution":""}],"primaryCreditorInstitution":"","paymentAmount":1`
	base := engine.Payment{
		Notices: []engine.Notice{{AmountCents: 101, CreditorInstitution: "1", Transfers: []engine.Transfer{
			{CreditorInstitution: "1", TransferCategory: "9/0102100SA/", DigitalStamp: true}, {CreditorInstitution: "2"},
		}}},
		BIN: "123456", PaymentType: "CP", Touchpoint: "IO",
		PSPs: []engine.PSPFilter{{PSP: "A", Channel: "c", Broker: "b"}, {PSP: "B"}},
	}
	one := base
	one.PSPs = []engine.PSPFilter{{PSP: "P", Channel: "c", Broker: "b"}}
	cart := base
	cart.Notices = append(cart.Notices[:1:1], engine.Notice{AmountCents: 1, Transfers: []engine.Transfer{{}}})
	oneCart := cart
	oneCart.PSPs = one.PSPs
	for _, c := range []struct {
		name, body, psp string
		contract        contract
		want            engine.Payment
	}{
		{"v1", "{" + common + list + own + first + "}", "", contractV1, base},
		{"v1 by PSP", "{" + first + "," + list + common + `"idChannel":"c","idBrokerPsp":"b"}`, "P", contractV1, one},
		{"v2", "{" + list + common + own + `"paymentNotice":[{` + first + "},{" + second + "}]}", "", contractV2, cart},
		{"v2 by PSP", "{" + own + `"paymentNotice":[{` + first + "},{" + second + "}]," + list + common + `"x":1}`, "P", contractV2, oneCart},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := read(c.body, c.contract, c.psp)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeIsLenient(t *testing.T) {
	bin := func(text string) func(*engine.Payment) { return func(p *engine.Payment) { p.BIN = text } }
	for _, c := range []struct {
		name, more string
		want       func(*engine.Payment)
	}{
		{"nothing more", ``, nil},
		{"unknown members of every kind", `,"a":null,"b":[1,{"c":[]},"]"],"d":{"paymentAmount":5},"e":-1.5e3,"f":true,"":0`, nil},
		{"unknown member twice", `,"a":1,"a":2`, nil},
		{"names are matched in their case", `,"PaymentAmount":7,"BIN":"9"`, nil},
		{"null is absent", `,"bin":null,"paymentMethod":null,"touchpoint":null,"idPspList":null`, nil},
		{"no PSPs are no filter", `,"idPspList":[]`, nil},
		{"channel and broker only by PSP", `,"idChannel":5,"idBrokerPsp":{}`, nil},
		{"empty text", `,"bin":""`, nil},
		{"text as a number", `,"bin":431234`, bin("431234")},
		{"text as a number with leading space", `,"bin":   431234   `, bin("431234")},
		{"text as a large number", `,"bin":4312345678901234567`, bin("4312345678901234567")},
		{"text with escapes", `,"bin":"4\u0033\/\""`, bin(`43/"`)},
		{"text with a surrogate pair", `,"bin":"\ud83d\ude00"`, bin("😀")},
		{"text with half a surrogate pair", `,"bin":"\ud83d"`, bin("\uFFFD")},
		{"name with escapes", `,"\u0062in":"43"`, bin("43")},
		{"space everywhere", " ,\n\t\"bin\" :\r\n \"43\" ", bin("43")},
		{"null channel", `,"idPspList":[{"idPsp":"A","idChannel":null,"x":[]}]`, func(p *engine.Payment) {
			p.PSPs = []engine.PSPFilter{{PSP: "A"}}
		}},
		{"nesting up to the bound", `,"deep":` + strings.Repeat("[", 31) + strings.Repeat("]", 31), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, plain := range []string{plainV1, plainV2} {
				got, err := read(fmt.Sprintf(plain, c.more), []contract{contractV1, contractV2}[i], "")
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(plainPayment(c.want), got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("v%d: %s", i+1, diff)
				}
			}
		})
	}
}

func TestDecodeTakesAmounts(t *testing.T) {
	for text, want := range map[string]int64{
		`1`: 1, `100`: 100, `9223372036854775807`: 9223372036854775807,
		`"100"`: 100, `" 100 "`: 100, `"0100"`: 100,
	} {
		body := strings.Replace(fmt.Sprintf(plainV1, ""), "100", text, 1)
		p, err := read(body, contractV1, "")
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := p.Notices[0].AmountCents; got != want {
			t.Errorf("%s was read as %d", text, got)
		}
	}
}

func TestDecodeRefusesAmounts(t *testing.T) {
	for text, want := range map[string]string{
		`0`:                       "paymentAmount: is 0, send an amount above 0, in cents",
		`-0`:                      "paymentAmount: is 0, send an amount above 0, in cents",
		`-5`:                      "paymentAmount: is -5, send an amount above 0, in cents",
		`1.0`:                     "paymentAmount: is 1.0, send a whole number of cents, without decimals or exponent",
		`1.5`:                     "paymentAmount: is 1.5, send a whole number of cents, without decimals or exponent",
		`1e2`:                     "paymentAmount: is 1e2, send a whole number of cents, without decimals or exponent",
		`9223372036854775808`:     "paymentAmount: is 9223372036854775808, send at most 9223372036854775807 cents",
		`-9223372036854775809`:    "paymentAmount: is -9223372036854775809, send an amount above 0, in cents",
		`"100€"`:                  "paymentAmount: is 100€, send a whole number of cents, without decimals or exponent",
		`"1,00"`:                  "paymentAmount: is 1,00, send a whole number of cents, without decimals or exponent",
		`""`:                      "paymentAmount: is blank, send a whole number of cents, without decimals or exponent",
		`"-"`:                     "paymentAmount: is -, send a whole number of cents, without decimals or exponent",
		`"99999999999999999999x"`: "paymentAmount: is 99999999999999999999x, send a whole number of cents, without decimals or exponent",
		`true`:                    "paymentAmount: must be a whole number of cents",
		`[100]`:                   "paymentAmount: must be a whole number of cents",
		`{"cents":100}`:           "paymentAmount: must be a whole number of cents",
		`null`:                    "paymentAmount: is mandatory, send the amount in cents",
	} {
		v1 := strings.Replace(fmt.Sprintf(plainV1, ""), "100", text, 1)
		v2 := strings.Replace(fmt.Sprintf(plainV2, ""), "100", text, 1)
		if _, err := read(v1, contractV1, ""); detail(err) != want {
			t.Errorf("v1 %s: %s", text, detail(err))
		}
		if _, err := read(v2, contractV2, ""); detail(err) != "paymentNotice[0]."+want {
			t.Errorf("v2 %s: %s", text, detail(err))
		}
	}
}

// TestQ1NoticesOfNothing: the amount of a payment is the sum of its notices, and that is above 0.
func TestQ1NoticesOfNothing(t *testing.T) {
	notice := func(amount string) string {
		return `{"paymentAmount":` + amount + "," + goodEC + "," + goodTransfer + `}`
	}
	for amounts, want := range map[string]string{
		notice("0") + "," + notice("7"):  "",
		notice("7") + "," + notice("0"):  "",
		notice("0"):                      "paymentNotice[0].paymentAmount: is 0, send an amount above 0, in cents",
		notice("0") + "," + notice("0"):  "paymentNotice: has nothing to pay, send at least one amount above 0, in cents",
		notice("7") + "," + notice("-7"): "paymentNotice[1].paymentAmount: is -7, send an amount above 0, in cents",
	} {
		p, err := read(`{"paymentNotice":[`+amounts+`]}`, contractV2, "")
		if want == "" && (err != nil || p.Notices[0].AmountCents+p.Notices[1].AmountCents != 7) || want != "" && detail(err) != want {
			t.Errorf("%s: %v", amounts, err)
		}
	}
}

func TestDecodeReadsStamps(t *testing.T) {
	for text, want := range map[string]bool{
		`true`: true, `false`: false, `null`: false, `"true"`: true, `"TRUE"`: true, `"false"`: false, `""`: false, `1`: true, `0`: false,
	} {
		body := `{"paymentAmount":1,"primaryCreditorInstitution":"","transferList":[{"creditorInstitution":"","digitalStamp":` + text + `}]}`
		p, err := read(body, contractV1, "")
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := p.Notices[0].Transfers[0].DigitalStamp; got != want {
			t.Errorf("%s was read as %v", text, got)
		}
	}
}

// detail is the detail of a problem, with its hint where it has one.
func detail(err error) string {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return fmt.Sprintf("no problem: %v", err)
	}
	if p.Title != "BAD REQUEST" || p.Status != 400 {
		return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail)
	}
	if p.Hint != "" {
		return p.Detail + "; " + p.Hint
	}
	return p.Detail
}

func TestDecodeNamesAllMissingMembersTogether(t *testing.T) {
	const (
		amount    = "is mandatory, send the amount in cents"
		ec        = "is mandatory, send the tax code of the creditor institution"
		transfers = "is mandatory, send the transfers of the notice"
		transfer  = "is mandatory, send the tax code of who gets the transfer"
	)
	for _, c := range []struct {
		name, body, psp string
		contract        contract
		want            []problem.Field
	}{
		{"v1 empty", `{}`, "", contractV1, []problem.Field{
			{Path: "paymentAmount", Message: amount}, {Path: "primaryCreditorInstitution", Message: ec}, {Path: "transferList", Message: transfers},
		}},
		{"v2 empty", `{}`, "", contractV2, []problem.Field{{Path: "paymentNotice", Message: "is mandatory, send the notices to pay"}}},
		{"v2 null", `{"paymentNotice":null}`, "", contractV2, []problem.Field{{Path: "paymentNotice", Message: "is mandatory, send the notices to pay"}}},
		{"v2 no notices", `{"paymentNotice":[]}`, "", contractV2, []problem.Field{{Path: "paymentNotice", Message: "is empty, send one notice at least"}}},
		{"v1 no transfers", `{"transferList":[],"paymentAmount":1,"primaryCreditorInstitution":"1"}`, "", contractV1, []problem.Field{{Path: "transferList", Message: "is empty, send one transfer at least"}}},
		{"v2 in every notice", `{"paymentNotice":[{},{"paymentAmount":null,"primaryCreditorInstitution":null,"transferList":null},{"paymentAmount":1,"primaryCreditorInstitution":"1","transferList":[{},{"creditorInstitution":null}]}],"idPspList":[{"idPsp":"A"},{},{"idPsp":""}]}`, "", contractV2, []problem.Field{
			{Path: "paymentNotice[0].paymentAmount", Message: amount}, {Path: "paymentNotice[0].primaryCreditorInstitution", Message: ec}, {Path: "paymentNotice[0].transferList", Message: transfers},
			{Path: "paymentNotice[1].paymentAmount", Message: amount}, {Path: "paymentNotice[1].primaryCreditorInstitution", Message: ec}, {Path: "paymentNotice[1].transferList", Message: transfers},
			{Path: "paymentNotice[2].transferList[0].creditorInstitution", Message: transfer}, {Path: "paymentNotice[2].transferList[1].creditorInstitution", Message: transfer},
			{Path: "idPspList[1].idPsp", Message: "is mandatory, name the PSP or leave the entry out"}, {Path: "idPspList[2].idPsp", Message: "is mandatory, name the PSP or leave the entry out"},
		}},
		{"wrong kinds", `{"bin":true,"paymentMethod":[],"touchpoint":{},"idPspList":{},"paymentNotice":"x"}`, "", contractV2, []problem.Field{
			{Path: "bin", Message: "must be a text"}, {Path: "paymentMethod", Message: "must be a text"}, {Path: "touchpoint", Message: "must be a text"},
			{Path: "idPspList", Message: "must be a list"}, {Path: "paymentNotice", Message: "must be a list"},
		}},
		{"wrong kinds of items", `{"idPspList":[null,"A"],"paymentNotice":[null,[],{"paymentAmount":1,"primaryCreditorInstitution":1,"transferList":[7,{"creditorInstitution":false,"digitalStamp":"perhaps"}]}]}`, "", contractV2, []problem.Field{
			{Path: "idPspList[0]", Message: "must be an object"}, {Path: "idPspList[1]", Message: "must be an object"},
			{Path: "paymentNotice[0]", Message: "must be an object"}, {Path: "paymentNotice[1]", Message: "must be an object"},
			{Path: "paymentNotice[2].transferList[0]", Message: "must be an object"},
			{Path: "paymentNotice[2].transferList[1].creditorInstitution", Message: "must be a text"},
			{Path: "paymentNotice[2].transferList[1].digitalStamp", Message: "must be true or false, not perhaps"},
		}},
		{"by PSP", `{"idChannel":{},"idBrokerPsp":true,"paymentAmount":1,"primaryCreditorInstitution":"","transferList":[{"creditorInstitution":"","digitalStamp":[]}]}`, "P", contractV1, []problem.Field{
			{Path: "idChannel", Message: "must be a text"}, {Path: "idBrokerPsp", Message: "must be a text"}, {Path: "transferList[0].digitalStamp", Message: "must be true or false"},
		}},
		{"twice", `{"paymentNotice":[{"paymentAmount":1,"paymentAmount":2,"primaryCreditorInstitution":"1","primaryCreditorInstitution":"1","transferList":[{"creditorInstitution":"1","creditorInstitution":"1","digitalStamp":true,"digitalStamp":true}],"transferList":[]}],"bin":null,"\u0062in":"1","idPspList":null,"idPspList":[],"paymentNotice":[]}`, "", contractV2, []problem.Field{
			{Path: "paymentNotice[0].paymentAmount", Message: "is given twice, send it once"},
			{Path: "paymentNotice[0].primaryCreditorInstitution", Message: "is given twice, send it once"},
			{Path: "paymentNotice[0].transferList[0].creditorInstitution", Message: "is given twice, send it once"},
			{Path: "paymentNotice[0].transferList[0].digitalStamp", Message: "is given twice, send it once"},
			{Path: "paymentNotice[0].transferList", Message: "is given twice, send it once"},
			{Path: "bin", Message: "is given twice, send it once"},
			{Path: "idPspList", Message: "is given twice, send it once"},
			{Path: "paymentNotice", Message: "is given twice, send it once"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.body, c.contract, c.psp)
			var p *problem.Problem
			if !errors.As(err, &p) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(c.want, p.Fields); diff != "" {
				t.Error(diff)
			}
			for _, f := range c.want {
				if !strings.Contains(p.Detail, f.Path+": "+f.Message) {
					t.Errorf("detail leaves out %s: %s", f.Path, p.Detail)
				}
			}
		})
	}
}

func TestDecodeSaysWhereTheDocumentIsBroken(t *testing.T) {
	const format = "Invalid input format; "
	for _, c := range []struct{ body, want string }{
		{"", "the body is empty: send a JSON object"},
		{" \n", "the JSON breaks off at line 1, column 2: unexpected end of JSON input"},
		{"{", "the JSON breaks off at line 1, column 1: unexpected end of JSON input"},
		{"{\n  \"paymentNotice\": [\n    {\"paymentAmount\": 10 0}]}", "the JSON breaks off at line 3, column 26 in paymentNotice[0].paymentAmount: invalid character '0' after object key:value pair"},
		{`{"paymentNotice":[{"transferList":[{"creditorInstitution":x}]}]}`, "the JSON breaks off at line 1, column 59 in paymentNotice[0].transferList[0].creditorInstitution: invalid character 'x' looking for beginning of value"},
		{`{"idPspList":[{"idPsp":"A"},]}`, "the JSON breaks off at line 1, column 29 in idPspList[1]: invalid character ']' looking for beginning of value"},
		{`{"strange":nul}`, "the JSON breaks off at line 1, column 15 in strange: invalid character '}' in literal null (expecting 'l')"},
		{`{} {}`, "the JSON breaks off at line 1, column 4: invalid character '{' after top-level value"},
		{`{}x`, "the JSON breaks off at line 1, column 3: invalid character 'x' after top-level value"},
		{"{}\x00", `the JSON breaks off at line 1, column 3: invalid character '\x00' after top-level value`},
		{`[]`, "the body must be a JSON object"},
		{`null`, "the body must be a JSON object"},
		{`"text"`, "the body must be a JSON object"},
		{`7`, "the body must be a JSON object"},
		{"\uFEFF{}", "the body starts with a byte order mark: send UTF-8 without one"},
		{"\xff\xfe{\x00}\x00", "the body is UTF-16: send UTF-8 without a byte order mark"},
		{"{\"bin\":\n\"\xe8\"}", "the body is not UTF-8 at line 2, column 2: send UTF-8"},
		{`{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "objects and lists are nested too deeply in x, use at most 32 levels"},
		{`{"bin":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat("}", 40) + `}`, "objects and lists are nested too deeply in bin, use at most 32 levels"},
	} {
		if _, err := read(c.body, contractV2, ""); detail(err) != format+c.want {
			t.Errorf("%.60q: %s", c.body, detail(err))
		}
	}
}

func TestDecodeBoundsItsReport(t *testing.T) {
	body := `{"paymentNotice":[` + strings.Repeat("{},", 20_000) + `{}]}`
	_, err := read(body, contractV2, "")
	var p *problem.Problem
	if !errors.As(err, &p) || len(p.Fields) != faultsMax {
		t.Fatalf("got %v", err)
	}
	if !strings.HasSuffix(p.Detail, ", and 80 more") || len(p.Append(nil)) > 20<<10 {
		t.Errorf("a report of %d bytes: %s", len(p.Append(nil)), p.Detail)
	}
}
