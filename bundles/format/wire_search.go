package format

import (
	"slices"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// WireSearch is a search of payment methods and the payment that it is for, both without their instant.
type WireSearch struct {
	bundles.MethodSearch
	Payment engine.Payment
}

// ReadMethodSearch reads a search of payment methods, with the defaults of the contract (spec 4). Errors:
// bundles.Faults.
func ReadMethodSearch(body []byte) (WireSearch, error) {
	q := WireSearch{MethodSearch: bundles.MethodSearch{
		Language: bundles.MethodLanguages()[0], SortBy: bundles.SortByDescription, Groups: []string{engine.CardPaymentType},
	}}
	q.Payment.WithoutPoste = true // allCCp is off here where it is not sent
	err := readWire(body, func(d *decoder) { takeObject(d, searchFields(), &q) })
	q.Payment.Touchpoint = q.Touchpoint
	return q, err
}

func searchFields() *table[WireSearch] {
	type search = WireSearch
	choice := func(name string, mandatory bool, known []string, into func(*search) *string) field[search] {
		return field[search]{name: name, mandatory: mandatory, take: func(d *decoder, q *search) {
			_, at := d.peek()
			value, ok := d.text()
			if !ok {
				return
			}
			if *into(q) = strings.ToUpper(value); !slices.Contains(known, *into(q)) {
				d.fault(at, bundles.Excerpt(value)+" is unknown", "use one of "+strings.Join(known, ", "))
			}
		}}
	}
	order := ""
	return newTable(
		choice("userTouchpoint", true, bundles.MethodTouchpoints(), func(q *search) *string { return &q.Touchpoint }),
		choice("userDevice", false, bundles.MethodDevices(), func(q *search) *string { return &q.Device }),
		wholeField("totalAmount", true, wholeCents, func(q *search) *int64 { return &q.AmountCents }),
		field[search]{name: "paymentNotice", mandatory: true, take: takeNotices},
		field[search]{name: "allCCp", take: func(d *decoder, q *search) {
			if all, ok := d.truth(); ok {
				q.Payment.WithoutPoste = !all
			}
		}},
		textField("targetKey", func(q *search) *string { return &q.Target }),
		choice("language", false, bundles.MethodLanguages(), func(q *search) *string { return &q.Language }),
		choice("sortBy", false, bundles.MethodSortings(), func(q *search) *string { return &q.SortBy }),
		field[search]{name: "sortOrder", take: func(d *decoder, q *search) {
			choice("sortOrder", false, []string{"ASC", "DESC"}, func(*search) *string { return &order }).take(d, q)
			q.Descending = order == "DESC"
		}},
		field[search]{name: "priorityGroups", take: func(d *decoder, q *search) { q.Groups = d.texts() }},
	)
}

// takeNotices takes the cart of a search, of which the ECs and the transfers may be absent.
func takeNotices(d *decoder, q *WireSearch) {
	type notice = engine.Notice
	transfers := newTable(
		textField("creditorInstitution", func(t *engine.Transfer) *string { return &t.CreditorInstitution }),
		textField("transferCategory", func(t *engine.Transfer) *string { return &t.TransferCategory }),
		truthField("digitalStamp", false, func(t *engine.Transfer) *bool { return &t.DigitalStamp }),
	)
	notices := newTable(
		wholeField("paymentAmount", true, wholeCents, func(n *notice) *int64 { return &n.AmountCents }),
		textField("primaryCreditorInstitution", func(n *notice) *string { return &n.CreditorInstitution }),
		field[notice]{name: "transferList", take: func(d *decoder, n *notice) {
			d.elements(listMax, func() {
				var t engine.Transfer
				takeObject(d, transfers, &t)
				n.Transfers = append(n.Transfers, t)
			})
		}},
	)
	_, at := d.peek()
	before := len(d.faults)
	d.elements(listMax, func() {
		var n notice
		takeObject(d, notices, &n)
		q.Payment.Notices = append(q.Payment.Notices, n)
	})
	if len(q.Payment.Notices) == 0 && len(d.faults) == before {
		d.fault(at, "is empty", "send at least one notice")
	}
}
