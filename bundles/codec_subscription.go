package bundles

import (
	"fmt"

	"github.com/go-faster/jx"

	"gec/engine"
)

// The relations of an attribute to its category on the wire (Q16).
const (
	relationEqual    = "EQUAL"
	relationNotEqual = "NOT_EQUAL"
)

// EncodeSubscription returns the stored form of a subscription.
func EncodeSubscription(s *Subscription) []byte {
	var e jx.Encoder
	e.ObjStart()
	writeText(&e, "idBundle", s.BundleID)
	WriteSubscription(&e, s)
	writeChange(&e, s.Inserted, s.Updated, s.Revision)
	e.ObjEnd()
	return e.Bytes()
}

// WriteSubscription writes the fields that people set into the object that the encoder is in, with the
// wire names and in a fixed order; all but idBundle, because the native format nests subscriptions in
// their bundle.
func WriteSubscription(e *jx.Encoder, s *Subscription) {
	writeText(e, "id", s.ID)
	writeText(e, "ciFiscalCode", s.CreditorInstitution)
	writePeriod(e, s.Validity)
	writeAttributes(e, s.Attributes)
}

func writeAttributes(e *jx.Encoder, attributes []engine.Attribute) {
	if len(attributes) == 0 {
		return
	}
	e.FieldStart("attributes")
	e.ArrStart()
	for i := range attributes {
		writeAttribute(e, &attributes[i])
	}
	e.ArrEnd()
}

func writeAttribute(e *jx.Encoder, a *engine.Attribute) {
	e.ObjStart()
	writeText(e, "id", a.ID)
	e.FieldStart("maxPaymentAmount")
	e.Int64(a.MaxPaymentAmountCents)
	writeText(e, "transferCategory", a.TransferCategory)
	switch {
	case a.NotEqual:
		writeText(e, "transferCategoryRelation", relationNotEqual)
	case a.TransferCategory != "":
		writeText(e, "transferCategoryRelation", relationEqual)
	}
	e.ObjEnd()
}

// DecodeSubscription reads the stored form. The result shares no bytes with document. Errors:
// ErrCorrupt.
func DecodeSubscription(document []byte) (s Subscription, err error) {
	err = decodeDocument("subscription", document, func(d *jx.Decoder) error {
		return decodeObject(d, func(d *jx.Decoder, name []byte) error { return decodeSubscriptionField(d, &s, name) })
	})
	if err == nil && (s.ID == "" || s.BundleID == "") {
		err = corrupt("subscription", fmt.Errorf("it has no id or no bundle"))
	}
	if err != nil {
		return Subscription{}, err
	}
	return s, nil
}

func decodeSubscriptionField(d *jx.Decoder, s *Subscription, name []byte) (err error) {
	switch string(name) {
	case "id":
		s.ID, err = d.Str()
	case "idBundle":
		s.BundleID, err = d.Str()
	case "ciFiscalCode":
		s.CreditorInstitution, err = d.Str()
	case "validityDateFrom":
		return decodeDate(d, &s.Validity.From)
	case "validityDateTo":
		return decodeDate(d, &s.Validity.To)
	case "attributes":
		return decodeAttributes(d, &s.Attributes)
	case "insertedDate":
		return decodeInstant(d, &s.Inserted)
	case "lastUpdatedDate":
		return decodeInstant(d, &s.Updated)
	case "revision":
		s.Revision, err = d.Int64()
	default:
		return unknownField(name)
	}
	return err
}

func decodeAttributes(d *jx.Decoder, into *[]engine.Attribute) error {
	return decodeArray(d, func(d *jx.Decoder) error {
		var a engine.Attribute
		err := decodeAttribute(d, &a)
		*into = append(*into, a)
		return err
	})
}

func decodeAttribute(d *jx.Decoder, a *engine.Attribute) error {
	return decodeObject(d, func(d *jx.Decoder, name []byte) (err error) {
		switch string(name) {
		case "id":
			a.ID, err = d.Str()
		case "maxPaymentAmount":
			a.MaxPaymentAmountCents, err = d.Int64()
		case "transferCategory":
			a.TransferCategory, err = d.Str()
		case "transferCategoryRelation":
			return decodeCategoryRelation(d, &a.NotEqual)
		default:
			return unknownField(name)
		}
		return err
	})
}

func decodeCategoryRelation(d *jx.Decoder, notEqual *bool) error {
	text, err := d.StrBytes()
	if err != nil {
		return err
	}
	switch string(text) {
	case relationEqual:
		*notEqual = false
	case relationNotEqual:
		*notEqual = true
	default:
		return fmt.Errorf("relation %s is unknown", Excerpt(string(text)))
	}
	return nil
}
