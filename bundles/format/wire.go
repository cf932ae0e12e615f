package format

import (
	"errors"

	"gec/bundles"
	"gec/engine"
)

// The bodies of the wire contract (spec 4) are read here because they share their fields, and how faults are
// found and placed, with files. They are read as existing clients write them: unknown fields are ignored, a
// number is taken where text is due, dates may be instants. A field that is given twice is a fault all the
// same: it may be money. A body that is no JSON is a MalformedError, whatever is read from it.

// wire is the name of these bodies, access that of those about access keys, which are read strictly. Neither is
// a format of files.
const (
	wire   Name = "wire"
	access Name = "access"
)

// WireRequest is an EC's request for a PUBLIC bundle.
type WireRequest struct {
	BundleID   string
	Attributes []engine.Attribute
	Validity   engine.Period
}

// ReadBundle reads a bundle of the marketplace. What the service sets itself, the id among it, is ignored.
// check, where not nil, is called when the reader found faults, with what could be made out, and what it
// returns is reported with those, so that an author sees all faults at once (A2). Errors: bundles.Faults.
func ReadBundle(body []byte, check Check) (b bundles.Bundle, err error) {
	_, err = readDrafts(body, check, func(d *decoder, taken func(bundles.Bundle)) {
		d.path = append(d.path, step{})
		b = takeWireBundle(d)
		taken(b)
	})
	return b, bundles.Unplaced(err, bundles.BundlePath(0))
}

// ReadBundles reads a list of bundles of the marketplace. The paths of faults begin with "bundles[n]"; check
// is as in [ReadBundle]. Errors: bundles.Faults.
func ReadBundles(body []byte, check Check) ([]bundles.Bundle, error) {
	return readDrafts(body, check, func(d *decoder, taken func(bundles.Bundle)) {
		d.elements(BundlesMax, func() { taken(takeWireBundle(d)) })
	})
}

func readDrafts(body []byte, check Check, take func(d *decoder, taken func(bundles.Bundle))) (all []bundles.Bundle, err error) {
	err = readWire(body, func(d *decoder) {
		d.path = append(d.path, step{name: "bundles"})
		take(d, func(b bundles.Bundle) { all = append(all, b) })
	})
	var faults bundles.Faults
	if check == nil || !errors.As(err, &faults) {
		return all, err
	}
	more, _ := check(&bundles.Document{Bundles: all})
	return all, append(faults, apart(wire, more, faults)...).Err()
}

func takeWireBundle(d *decoder) bundles.Bundle {
	_, at := d.peek()
	b := bundleDraft{Bundle: bundles.Bundle{Bundle: engine.Bundle{Touchpoint: engine.Any, Cart: true}}}
	if takeObject(d, d.tables.bundle, &b) {
		d.settleFee(&b, at)
	}
	return b.Bundle
}

// ReadAttributes reads a list of attributes, or one attribute for a list of it. Errors: bundles.Faults with
// paths that begin with "attributes[n]".
func ReadAttributes(body []byte) (all []engine.Attribute, err error) {
	err = readWire(body, func(d *decoder) {
		d.path = append(d.path, step{name: "attributes"})
		if k, _ := d.peek(); k == object {
			d.path = append(d.path, step{})
			all = append(all, takeAttribute(d))
			return
		}
		d.elements(attributesMax, func() { all = append(all, takeAttribute(d)) })
	})
	return all, err
}

// ReadAttribute reads one attribute. Errors: bundles.Faults.
func ReadAttribute(body []byte) (a engine.Attribute, err error) {
	err = readWire(body, func(d *decoder) { a = takeAttribute(d) })
	return a, err
}

func takeAttribute(d *decoder) (a engine.Attribute) {
	takeObject(d, d.tables.attribute, &a)
	return a
}

// ReadRequest reads a request for a PUBLIC bundle. Errors: bundles.Faults.
func ReadRequest(body []byte) (r WireRequest, err error) {
	id := textField("idBundle", func(r *WireRequest) *string { return &r.BundleID })
	id.mandatory = true
	fields := newTable(
		id,
		dateField("validityDateFrom", func(r *WireRequest) *engine.Date { return &r.Validity.From }),
		dateField("validityDateTo", func(r *WireRequest) *engine.Date { return &r.Validity.To }),
		field[WireRequest]{name: "attributes", take: func(d *decoder, r *WireRequest) {
			d.elements(attributesMax, func() { r.Attributes = append(r.Attributes, takeAttribute(d)) })
		}},
	)
	err = readWire(body, func(d *decoder) { takeObject(d, fields, &r) })
	return r, err
}

// ReadTexts reads an object of which one field is a list of texts, such as ciFiscalCodeList. Errors:
// bundles.Faults.
func ReadTexts(body []byte, name string) (texts []string, err error) {
	fields := newTable(field[[]string]{name: name, mandatory: true, take: func(d *decoder, into *[]string) { *into = d.texts() }})
	err = readWire(body, func(d *decoder) { takeObject(d, fields, &texts) })
	return texts, err
}

// ReadText reads an object of which one field is a text, such as name. Errors: bundles.Faults.
func ReadText(body []byte, name string) (text string, err error) {
	fields := newTable(field[string]{name: name, mandatory: true, take: func(d *decoder, into *string) { *into, _ = d.text() }})
	err = readWire(body, func(d *decoder) { takeObject(d, fields, &text) })
	return text, err
}

// ReadNames reads a list of objects, of each of which one field is a text. Errors: bundles.Faults.
func ReadNames(body []byte, name string) (texts []string, err error) {
	fields := newTable(field[string]{name: name, mandatory: true, take: func(d *decoder, into *string) { *into, _ = d.text() }})
	err = readWire(body, func(d *decoder) {
		d.elements(listMax, func() {
			var text string
			takeObject(d, fields, &text)
			texts = append(texts, text)
		})
	})
	return texts, err
}

// ReadPaymentMethod reads a payment method. Errors: bundles.Faults.
func ReadPaymentMethod(body []byte) (m bundles.PaymentMethod, err error) {
	err = readWire(body, func(d *decoder) { takeObject(d, d.tables.method, &m) })
	return m, err
}

// MalformedError is returned for a body that is no JSON at all.
type MalformedError struct{ Fault bundles.Fault }

// Error says where it stops being JSON.
func (e *MalformedError) Error() string { return e.Fault.Error() }

// readWire opens a body and lets take take it. Errors: *MalformedError; bundles.Faults.
func readWire(body []byte, take func(*decoder)) error { return readAs(body, wire, take) }

func readAs(body []byte, name Name, take func(*decoder)) error {
	if fault := checkEncoding(body); fault != nil {
		return &MalformedError{*fault}
	}
	src, fault := openJSON(body)
	if fault != nil {
		return &MalformedError{*fault}
	}
	d := newDecoder(src, name)
	take(d)
	return d.report().Err()
}
