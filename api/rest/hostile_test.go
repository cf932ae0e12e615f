package rest

import (
	"fmt"
	"strings"
	"testing"
)

// hostile is a body that no client should send. Its answer is a 400 that contains want.
type hostile struct{ name, body, want string }

// notice is a whole v2 request around one notice.
func noticeOf(members string) string { return `{"paymentNotice":[{` + members + `}]}` }

const (
	goodAmount   = `"paymentAmount":100`
	goodEC       = `"primaryCreditorInstitution":"77777777777"`
	goodTransfer = `"transferList":[{"creditorInstitution":"77777777777"}]`
	goodNotice   = goodAmount + "," + goodEC + "," + goodTransfer
)

// hostileBodies are malformed requests of v2, listed and made from one another.
func hostileBodies() []hostile {
	all := brokenDocuments()
	for _, field := range []struct{ path, before, after, kind string }{
		{"bin", `{"paymentNotice":[{` + goodNotice + `}],"bin":`, `}`, "text"},
		{"touchpoint", `{"paymentNotice":[{` + goodNotice + `}],"touchpoint":`, `}`, "text"},
		{"paymentMethod", `{"paymentMethod":`, `,"paymentNotice":[{` + goodNotice + `}]}`, "text"},
		{"idPspList", `{"paymentNotice":[{` + goodNotice + `}],"idPspList":`, `}`, "list"},
		{"idPspList[0]", `{"paymentNotice":[{` + goodNotice + `}],"idPspList":[`, `]}`, "object"},
		{"idPspList[1].idPsp", `{"paymentNotice":[{` + goodNotice + `}],"idPspList":[{"idPsp":"A"},{"idPsp":`, `}]}`, "text"},
		{"idPspList[0].idChannel", `{"paymentNotice":[{` + goodNotice + `}],"idPspList":[{"idPsp":"A","idChannel":`, `}]}`, "text"},
		{"paymentNotice", `{"paymentNotice":`, `}`, "list"},
		{"paymentNotice[1]", `{"paymentNotice":[{` + goodNotice + `},`, `]}`, "object"},
		{"paymentNotice[0].paymentAmount", `{"paymentNotice":[{` + goodEC + "," + goodTransfer + `,"paymentAmount":`, `}]}`, "amount"},
		{"paymentNotice[0].primaryCreditorInstitution", `{"paymentNotice":[{` + goodAmount + "," + goodTransfer + `,"primaryCreditorInstitution":`, `}]}`, "text"},
		{"paymentNotice[0].transferList", `{"paymentNotice":[{` + goodAmount + "," + goodEC + `,"transferList":`, `}]}`, "list"},
		{"paymentNotice[0].transferList[0]", `{"paymentNotice":[{` + goodAmount + "," + goodEC + `,"transferList":[`, `]}]}`, "object"},
		{"paymentNotice[0].transferList[0].creditorInstitution", noticeHead + `"creditorInstitution":`, `}]}]}`, "text"},
		{"paymentNotice[0].transferList[0].transferCategory", noticeHead + `"creditorInstitution":"7","transferCategory":`, `}]}]}`, "text"},
		{"paymentNotice[0].transferList[0].digitalStamp", noticeHead + `"creditorInstitution":"7","digitalStamp":`, `}]}]}`, "flag"},
	} {
		for _, value := range wrongValues[field.kind] {
			all = append(all, hostile{field.path + " = " + value, field.before + value + field.after, field.path + ": "})
		}
		for _, value := range brokenValues {
			all = append(all, hostile{field.path + " = " + value, field.before + value + field.after, "Invalid input format; "})
		}
	}
	whole := `{"paymentNotice":[{` + goodNotice + `}],"idPspList":[{"idPsp":"A"}],"bin":"1"}`
	for cut := 1; cut < len(whole); cut += 3 {
		all = append(all, hostile{fmt.Sprintf("cut after %d bytes", cut), whole[:cut], "Invalid input format; "})
	}
	return all
}

const noticeHead = `{"paymentNotice":[{` + goodAmount + "," + goodEC + `,"transferList":[{`

// wrongValues are JSON values that are not of a kind.
var wrongValues = map[string][]string{
	"text":   {`true`, `false`, `[]`, `{}`, `["77777777777"]`},
	"list":   {`true`, `1`, `"x"`, `{}`, `{"0":{}}`},
	"object": {`true`, `1`, `"x"`, `[]`, `[{}]`, `null`},
	"flag":   {`"yes"`, `2`, `1.0`, `[]`, `{}`, `[true]`},
	"amount": {`true`, `"x"`, `[]`, `{}`, `null`, `-1`, `0.5`, `1e400`, `"1e3"`, `"0x10"`, `"１００"`, `99999999999999999999`, `-99999999999999999999`, `""`, `" "`},
}

// brokenValues are no JSON values at all.
var brokenValues = []string{`tru`, `nul`, `'x'`, `"x`, `01`, `+1`, `.5`, `1.`, `1e`, `-`, `NaN`, `Infinity`, `undefined`, `"\x"`, `"\u12"`, "\"\x01\"", "\"\n\"", `,`, `]`, `}`, `/*1*/1`, `0x10`, `1_000`}

// brokenDocuments are broken as a whole.
func brokenDocuments() []hostile {
	return []hostile{
		{"empty", ``, "Invalid input format; the body is empty"},
		{"blank", "  \n\t ", "Invalid input format; "},
		{"null", `null`, "Invalid input format; the body must be a JSON object"},
		{"list", `[{` + goodNotice + `}]`, "Invalid input format; the body must be a JSON object"},
		{"text", `"{}"`, "Invalid input format; the body must be a JSON object"},
		{"number", `100`, "Invalid input format; the body must be a JSON object"},
		{"XML", `<fees/>`, "Invalid input format; "},
		{"form", `paymentAmount=100&bin=1`, "Invalid input format; "},
		{"comment", `{/* one */` + goodNotice + `}`, "Invalid input format; "},
		{"single quotes", `{'paymentNotice':[]}`, "Invalid input format; "},
		{"bare names", `{paymentNotice:[]}`, "Invalid input format; "},
		{"comma at the end", `{"paymentNotice":[{` + goodNotice + `}],}`, "Invalid input format; "},
		{"comma at the start", `{,"paymentNotice":[{` + goodNotice + `}]}`, "Invalid input format; "},
		{"two commas", `{"paymentNotice":[{` + goodNotice + `}],,"bin":"1"}`, "Invalid input format; "},
		{"no colon", `{"paymentNotice" [{` + goodNotice + `}]}`, "Invalid input format; "},
		{"number as a name", `{1:[{` + goodNotice + `}]}`, "Invalid input format; "},
		{"two documents", `{"paymentNotice":[{` + goodNotice + `}]}{"paymentNotice":[{` + goodNotice + `}]}`, "Invalid input format; "},
		{"a document and a line", `{"paymentNotice":[{` + goodNotice + `}]}` + "\n7", "Invalid input format; "},
		{"a document and NUL", `{"paymentNotice":[{` + goodNotice + `}]}` + "\x00", "Invalid input format; "},
		{"byte order mark", "\uFEFF" + `{"paymentNotice":[{` + goodNotice + `}]}`, "Invalid input format; the body starts with a byte order mark"},
		{"UTF-16", "\xfe\xff\x00{\x00}", "Invalid input format; the body is UTF-16"},
		{"Latin-1", `{"paymentNotice":[{` + goodNotice + `}],"touchpoint":"citt` + "\xe0" + `"}`, "Invalid input format; the body is not UTF-8"},
		{"half a rune", `{"bin":"` + "\xe2\x82" + `"}`, "Invalid input format; the body is not UTF-8"},
		{"overlong NUL", `{"bin":"` + "\xc0\x80" + `"}`, "Invalid input format; the body is not UTF-8"},
		{"surrogate as UTF-8", `{"bin":"` + "\xed\xa0\x80" + `"}`, "Invalid input format; the body is not UTF-8"},
		{"separator record", "\x1e{}", "Invalid input format; "},
		{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "Invalid input format; "},
		{"deep lists", `{"x":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + `}`, "Invalid input format; "},
		{"deep lists without end", `{"x":` + strings.Repeat("[", 60_000), "Invalid input format; "},
		{"deep objects", strings.Repeat(`{"x":`, 12_000) + "1" + strings.Repeat("}", 12_000), "Invalid input format; "},
		{"deep list instead", strings.Repeat("[", 65_000), "Invalid input format; "},
		{"deep after the document", `{}` + strings.Repeat("[", 65_000), "Invalid input format; "},
		{"many notices without anything", `{"paymentNotice":[` + strings.Repeat(`{},`, 20_000) + `{}]}`, "paymentNotice[0].paymentAmount: is mandatory"},
		{"amount twice", noticeOf(goodNotice + `,"paymentAmount":1`), "paymentNotice[0].paymentAmount: is given twice"},
		{"amount twice, once escaped", noticeOf(goodNotice + `,"payment\u0041mount":1`), "paymentNotice[0].paymentAmount: is given twice"},
		{"amount null and given", noticeOf(`"paymentAmount":null,` + goodNotice), "paymentNotice[0].paymentAmount: is given twice"},
		{"EC twice", noticeOf(goodNotice + `,` + goodEC), "paymentNotice[0].primaryCreditorInstitution: is given twice"},
		{"transfers twice", noticeOf(goodNotice + `,` + goodTransfer), "paymentNotice[0].transferList: is given twice"},
		{"notices twice", `{"paymentNotice":[{` + goodNotice + `}],"paymentNotice":[{` + goodNotice + `}]}`, "paymentNotice: is given twice"},
		{"bin twice", `{"bin":"1","bin":"1","paymentNotice":[{` + goodNotice + `}]}`, "bin: is given twice"},
		{"amount 0", noticeOf(goodEC + "," + goodTransfer + `,"paymentAmount":0`), "paymentNotice[0].paymentAmount: is 0"},
		{"amounts 0", `{"paymentNotice":[{"paymentAmount":0,` + goodEC + "," + goodTransfer + `},{"paymentAmount":0,` + goodEC + "," + goodTransfer + `}]}`, "paymentNotice: has nothing to pay"},
		{"amount missing", noticeOf(goodEC + "," + goodTransfer), "paymentNotice[0].paymentAmount: is mandatory"},
		{"EC missing", noticeOf(goodAmount + "," + goodTransfer), "paymentNotice[0].primaryCreditorInstitution: is mandatory"},
		{"transfers missing", noticeOf(goodAmount + "," + goodEC), "paymentNotice[0].transferList: is mandatory"},
		{"no transfers", noticeOf(goodAmount + "," + goodEC + `,"transferList":[]`), "paymentNotice[0].transferList: is empty"},
		{"no notices", `{"paymentNotice":[]}`, "paymentNotice: is empty"},
		{"a v1 request", `{` + goodNotice + `}`, "paymentNotice: is mandatory"},
	}
}

func TestHostileBodiesAreRefused(t *testing.T) {
	bodies := hostileBodies()
	if len(bodies) < 100 {
		t.Fatalf("only %d bodies", len(bodies))
	}
	for _, h := range bodies {
		_, err := read(h.body, contractV2, "")
		if got := detail(err); !strings.Contains(got, h.want) {
			t.Errorf("%s: %.200q: %.300s", h.name, h.body, got)
		}
	}
	t.Logf("%d bodies", len(bodies))
}
