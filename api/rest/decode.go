package rest

import (
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"gec/api/problem"
	"gec/engine"
)

// contract is one of the two contracts of the calculator.
type contract uint8

const (
	contractV1 contract = iota
	contractV2
)

// field is a bit for each member that means something in some object of a request. No object has two members
// of the same bit.
type field uint16

const (
	fieldNotices field = 1 << iota
	fieldAmount
	fieldPrimaryEC
	fieldTransfers
	fieldBIN
	fieldPaymentMethod
	fieldTouchpoint
	fieldPSPs
	fieldChannel
	fieldBroker
	fieldEC
	fieldCategory
	fieldStamp
	fieldPSP
)

// fields says which members of one object have been met, null or not, and which have a value.
type fields struct{ met, given field }

// faultsMax bounds the faults that one answer lists, whatever the body.
const faultsMax = 100

// decoder reads the requests of the calculator into a payment whose strings are parts of the body: they
// are valid as long as the body is unchanged. It is reused, and not for concurrent use.
type decoder struct {
	jx       jx.Decoder
	contract contract
	payment  engine.Payment
	// notices, transfers and psps are the room of the payment's lists.
	notices   []engine.Notice
	transfers []engine.Transfer
	psps      []engine.PSPFilter
	at        place
	faults    []problem.Field
}

// errSyntax stands for a body that is no JSON document. Where and why is found out afterwards.
var errSyntax = errors.New("not a JSON document")

// decode reads a body. psp, where not empty, is the PSP of the path: the body then names its channel and
// broker instead of a list of PSPs. Errors: *problem.Problem, with all faulty fields together.
func (d *decoder) decode(body []byte, c contract, psp string) error {
	d.notices, d.transfers, d.psps, d.faults = d.notices[:0], d.transfers[:0], d.psps[:0], d.faults[:0]
	d.payment = engine.Payment{}
	d.contract, d.at = c, place{notice: -1, item: -1}
	if len(body) == 0 {
		return problem.Malformed("the body is empty: send a JSON object")
	}
	if !utf8.Valid(body) {
		return problem.Malformed(encodingHint(body))
	}
	d.jx.ResetBytes(body)
	if err := d.document(psp); err != nil {
		return d.malformed(body)
	}
	d.requireMoney()
	if len(d.faults) > 0 {
		return problem.Invalid(append([]problem.Field(nil), d.faults...))
	}
	d.payment.Notices, d.payment.PSPs = d.notices, d.psps
	return nil
}

// document reads the one object that a body is.
func (d *decoder) document(psp string) error {
	var err error
	if d.contract == contractV1 {
		err = d.requestV1(psp)
	} else {
		err = d.requestV2(psp)
	}
	if err != nil {
		return err
	}
	if d.jx.Next() != jx.Invalid || !errors.Is(d.jx.Skip(), io.EOF) { // in this order: the end is an Invalid, too
		d.at.key = nil
		return errSyntax
	}
	return nil
}

// requestV1 reads the object of POST /fees: one notice, spread over the request.
func (d *decoder) requestV1(psp string) error {
	var seen fields
	d.notices = append(d.notices, engine.Notice{})
	if psp != "" {
		d.psps = append(d.psps, engine.PSPFilter{PSP: psp})
	}
	members, err := d.jx.ObjIter()
	if err != nil {
		return err
	}
	for members.Next() {
		d.at.key = members.Key()
		known, err := d.noticeMember(&d.notices[0], &seen)
		if !known && err == nil {
			known, err = d.commonMember(&seen, psp)
		}
		if !known && err == nil {
			err = d.skip(d.at.depth())
		}
		if err != nil {
			return err
		}
	}
	if err := members.Err(); err != nil {
		return err
	}
	d.requireNotice(&seen)
	return nil
}

// requestV2 reads the object of POST /fees/multi: a cart of notices.
func (d *decoder) requestV2(psp string) error {
	var seen fields
	if psp != "" {
		d.psps = append(d.psps, engine.PSPFilter{PSP: psp})
	}
	members, err := d.jx.ObjIter()
	if err != nil {
		return err
	}
	for members.Next() {
		d.at.key = members.Key()
		var known bool
		if string(d.at.key) == "paymentNotice" {
			known, err = true, d.cart(&seen)
		} else {
			known, err = d.commonMember(&seen, psp)
		}
		if !known && err == nil {
			err = d.skip(d.at.depth())
		}
		if err != nil {
			return err
		}
	}
	if err := members.Err(); err != nil {
		return err
	}
	d.require(&seen, fieldNotices, "paymentNotice", "is mandatory, send the notices to pay")
	return nil
}

// commonMember reads a member that both contracts have; known is false for any other.
func (d *decoder) commonMember(seen *fields, psp string) (known bool, err error) {
	switch string(d.at.key) {
	case "bin":
		return true, d.text(seen, fieldBIN, &d.payment.BIN)
	case "paymentMethod":
		return true, d.text(seen, fieldPaymentMethod, &d.payment.PaymentType)
	case "touchpoint":
		return true, d.text(seen, fieldTouchpoint, &d.payment.Touchpoint)
	case "idPspList":
		if psp == "" {
			return true, d.pspList(seen)
		}
	case "idChannel":
		if psp != "" {
			return true, d.text(seen, fieldChannel, &d.psps[0].Channel)
		}
	case "idBrokerPsp":
		if psp != "" {
			return true, d.text(seen, fieldBroker, &d.psps[0].Broker)
		}
	}
	return false, nil
}

// cart reads the list of notices.
func (d *decoder) cart(seen *fields) error {
	open, err := d.list(seen, fieldNotices)
	if !open || err != nil {
		return err
	}
	notices, err := d.jx.ArrIter()
	if err != nil {
		return err
	}
	for notices.Next() {
		d.at.notice++
		d.at.key = nil
		if err := d.notice(); err != nil {
			return err
		}
	}
	if err := notices.Err(); err != nil {
		return err
	}
	empty := d.at.notice < 0
	d.at.notice, d.at.key = -1, nil
	if empty {
		d.faultOf("paymentNotice", "is empty, send one notice at least")
	}
	return nil
}

// notice reads one notice of a cart, with everything that it needs.
func (d *decoder) notice() error {
	d.notices = append(d.notices, engine.Notice{})
	if open, err := d.object(); !open || err != nil {
		return err
	}
	members, err := d.jx.ObjIter()
	if err != nil {
		return err
	}
	var seen fields
	for members.Next() {
		d.at.key = members.Key()
		known, err := d.noticeMember(&d.notices[d.at.notice], &seen)
		if !known && err == nil {
			err = d.skip(d.at.depth())
		}
		if err != nil {
			return err
		}
	}
	if err := members.Err(); err != nil {
		return err
	}
	d.requireNotice(&seen)
	return nil
}

// noticeMember reads a member of a notice; known is false for any other.
func (d *decoder) noticeMember(n *engine.Notice, seen *fields) (known bool, err error) {
	switch string(d.at.key) {
	case "paymentAmount":
		return true, d.amount(seen, fieldAmount, &n.AmountCents)
	case "primaryCreditorInstitution":
		return true, d.text(seen, fieldPrimaryEC, &n.CreditorInstitution)
	case "transferList":
		return true, d.transferList(n, seen)
	}
	return false, nil
}

func (d *decoder) requireNotice(seen *fields) {
	d.require(seen, fieldAmount, "paymentAmount", "is mandatory, send the amount in cents")
	d.require(seen, fieldPrimaryEC, "primaryCreditorInstitution", "is mandatory, send the tax code of the creditor institution")
	d.require(seen, fieldTransfers, "transferList", "is mandatory, send the transfers of the notice")
}

// requireMoney notes a fault where a request, right in every other respect, has nothing to pay (Q1).
func (d *decoder) requireMoney() {
	if len(d.faults) > 0 {
		return
	}
	for i := range d.notices {
		if d.notices[i].AmountCents > 0 {
			return
		}
	}
	switch {
	case len(d.notices) > 1:
		d.faultOf("paymentNotice", "has nothing to pay, send at least one amount above 0, in cents")
	case d.contract == contractV2:
		d.faultOf("paymentNotice[0].paymentAmount", zeroAmount)
	default:
		d.faultOf("paymentAmount", zeroAmount)
	}
}

const zeroAmount = "is 0, send an amount above 0, in cents"

// transferList reads the transfers of a notice.
func (d *decoder) transferList(n *engine.Notice, seen *fields) error {
	open, err := d.list(seen, fieldTransfers)
	if !open || err != nil {
		return err
	}
	first := len(d.transfers)
	transfers, err := d.jx.ArrIter()
	if err != nil {
		return err
	}
	d.at.list = "transferList"
	for transfers.Next() {
		d.at.item++
		d.at.key = nil
		if err := d.transfer(); err != nil {
			return err
		}
	}
	if err := transfers.Err(); err != nil {
		return err
	}
	n.Transfers = d.transfers[first:len(d.transfers):len(d.transfers)]
	empty := d.at.item < 0
	d.at.leaveList()
	if empty {
		d.faultOf("transferList", "is empty, send one transfer at least")
	}
	return nil
}

// transfer reads one transfer and appends it.
func (d *decoder) transfer() error {
	var t engine.Transfer
	open, err := d.object()
	if !open || err != nil {
		return err
	}
	members, err := d.jx.ObjIter()
	if err != nil {
		return err
	}
	var seen fields
	for members.Next() {
		d.at.key = members.Key()
		switch string(d.at.key) {
		case "creditorInstitution":
			err = d.text(&seen, fieldEC, &t.CreditorInstitution)
		case "transferCategory":
			err = d.text(&seen, fieldCategory, &t.TransferCategory)
		case "digitalStamp":
			err = d.flag(&seen, fieldStamp, &t.DigitalStamp)
		default:
			err = d.skip(d.at.depth())
		}
		if err != nil {
			return err
		}
	}
	if err := members.Err(); err != nil {
		return err
	}
	d.require(&seen, fieldEC, "creditorInstitution", "is mandatory, send the tax code of who gets the transfer")
	d.transfers = append(d.transfers, t)
	return nil
}

// pspList reads the list of PSPs that the answer is restricted to; null and empty are no restriction.
func (d *decoder) pspList(seen *fields) error {
	if d.jx.Next() == jx.Null {
		seen.met |= fieldPSPs
		return d.jx.Null()
	}
	open, err := d.list(seen, fieldPSPs)
	if !open || err != nil {
		return err
	}
	entries, err := d.jx.ArrIter()
	if err != nil {
		return err
	}
	d.at.list = "idPspList"
	for entries.Next() {
		d.at.item++
		d.at.key = nil
		if err := d.psp(); err != nil {
			return err
		}
	}
	if err := entries.Err(); err != nil {
		return err
	}
	d.at.leaveList()
	return nil
}

// psp reads one entry of the list of PSPs and appends it. An entry without a PSP would admit everything or
// nothing; it is refused.
func (d *decoder) psp() error {
	var f engine.PSPFilter
	open, err := d.object()
	if !open || err != nil {
		return err
	}
	members, err := d.jx.ObjIter()
	if err != nil {
		return err
	}
	var seen fields
	for members.Next() {
		d.at.key = members.Key()
		switch string(d.at.key) {
		case "idPsp":
			err = d.text(&seen, fieldPSP, &f.PSP)
		case "idChannel":
			err = d.text(&seen, fieldChannel, &f.Channel)
		case "idBrokerPsp":
			err = d.text(&seen, fieldBroker, &f.Broker)
		default:
			err = d.skip(d.at.depth())
		}
		if err != nil {
			return err
		}
	}
	if err := members.Err(); err != nil {
		return err
	}
	if f.PSP == "" {
		seen.given &^= fieldPSP
	}
	d.require(&seen, fieldPSP, "idPsp", "is mandatory, name the PSP or leave the entry out")
	d.psps = append(d.psps, f)
	return nil
}
