package rest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gec/api/problem"
	"gec/engine"
)

func FuzzDecodeV1(f *testing.F) { fuzzDecode(f, contractV1) }

func FuzzDecodeV2(f *testing.F) { fuzzDecode(f, contractV2) }

// fuzzDecode holds the decoder against encoding/json as the judge of what a document is: what is accepted is a
// document; what is called malformed is none, or no object, or nested too deeply; and what was understood,
// written down again, is understood the same.
func fuzzDecode(f *testing.F, c contract) {
	for _, h := range hostileBodies() {
		if len(h.body) < 2<<10 {
			f.Add([]byte(h.body), "")
		}
	}
	for _, body := range []string{
		`{"paymentAmount":"100","primaryCreditorInstitution":7,"transferList":[{"creditorInstitution":"\u0000\ud83d","digitalStamp":1}],"idPspList":[{"idPsp":"A"}],"x":[{}]}`,
		`{"paymentNotice":[{"paymentAmount":1,"primaryCreditorInstitution":"","transferList":[{"creditorInstitution":""}]}],"idChannel":"c","bin":-0.1e-7}`,
	} {
		f.Add([]byte(body), "")
		f.Add([]byte(body), "P")
	}
	f.Fuzz(func(t *testing.T, body []byte, psp string) {
		if !utf8.ValidString(psp) || len(body) > BodyBytesMax {
			return
		}
		p, err := read(string(body), c, psp)
		var bad *problem.Problem
		if err != nil && (!errors.As(err, &bad) || bad.Status != 400) {
			t.Fatalf("%q: %v", body, err)
		}
		malformed := bad != nil && len(bad.Fields) == 0
		if document := json.Valid(body) && utf8.Valid(body); !malformed && !document {
			t.Fatalf("%q is no document and was read", body)
		} else if malformed && document && !tooDeep(body) && strings.HasPrefix(strings.TrimLeft(string(body), " \t\r\n"), "{") {
			t.Fatalf("%q is a document and was refused: %s", body, bad.Hint)
		}
		if p == nil {
			return
		}
		again, err := read(written(p, c, psp), c, psp)
		if err != nil {
			t.Fatalf("%q became %+v, which became %v", body, p, err)
		}
		if diff := cmp.Diff(p, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q: %s", body, diff)
		}
	})
}

// tooDeep reports whether a document is nested deeper than the decoder goes, or close enough to that for the
// item of a list that the decoder counts once more.
func tooDeep(body []byte) bool {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] == '"':
			quoted = !quoted
		case quoted && body[i] == '\\':
			i++
		case !quoted && (body[i] == '[' || body[i] == '{'):
			depth++
			deepest = max(deepest, depth)
		case !quoted && (body[i] == ']' || body[i] == '}'):
			depth--
		}
	}
	return deepest >= depthMax
}

// written is a payment as the body of a request, made with encoding/json.
func written(p *engine.Payment, c contract, psp string) string {
	type object = map[string]any
	notices := []object{}
	for _, n := range p.Notices {
		transfers := []object{}
		for _, t := range n.Transfers {
			transfers = append(transfers, object{"creditorInstitution": t.CreditorInstitution, "transferCategory": t.TransferCategory, "digitalStamp": t.DigitalStamp})
		}
		notices = append(notices, object{"paymentAmount": n.AmountCents, "primaryCreditorInstitution": n.CreditorInstitution, "transferList": transfers})
	}
	request := object{"paymentNotice": notices}
	if c == contractV1 {
		request = notices[0]
	}
	request["bin"], request["paymentMethod"], request["touchpoint"] = p.BIN, p.PaymentType, p.Touchpoint
	list := []object{}
	for _, f := range p.PSPs {
		if psp != "" {
			request["idChannel"], request["idBrokerPsp"] = f.Channel, f.Broker
		}
		list = append(list, object{"idPsp": f.PSP, "idChannel": f.Channel, "idBrokerPsp": f.Broker})
	}
	request["idPspList"] = list
	body, _ := json.Marshal(request)
	return string(body)
}
