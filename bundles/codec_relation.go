package bundles

import (
	"errors"

	"github.com/go-faster/jx"
)

// EncodeOffer returns the stored form of an offer.
func EncodeOffer(o *Offer) []byte {
	var e jx.Encoder
	e.ObjStart()
	writeRelation(&e, &o.Relation)
	e.ObjEnd()
	return e.Bytes()
}

// EncodeRequest returns the stored form of a request.
func EncodeRequest(r *Request) []byte {
	var e jx.Encoder
	e.ObjStart()
	writeRelation(&e, &r.Relation)
	writePeriod(&e, r.Validity)
	writeAttributes(&e, r.Attributes)
	e.ObjEnd()
	return e.Bytes()
}

// DecodeOffer reads the stored form. Errors: ErrCorrupt.
func DecodeOffer(document []byte) (o Offer, err error) {
	err = decodeRelation("offer", document, &o.Relation, func(_ *jx.Decoder, name []byte) error { return unknownField(name) })
	return o, err
}

// DecodeRequest reads the stored form. Errors: ErrCorrupt.
func DecodeRequest(document []byte) (r Request, err error) {
	err = decodeRelation("request", document, &r.Relation, func(d *jx.Decoder, name []byte) error {
		switch string(name) {
		case "validityDateFrom":
			return decodeDate(d, &r.Validity.From)
		case "validityDateTo":
			return decodeDate(d, &r.Validity.To)
		case "attributes":
			return decodeAttributes(d, &r.Attributes)
		}
		return unknownField(name)
	})
	return r, err
}

func writeRelation(e *jx.Encoder, r *Relation) {
	writeText(e, "id", r.ID)
	writeText(e, "idBundle", r.BundleID)
	writeText(e, "idPsp", r.PSP)
	writeText(e, "ciFiscalCode", r.CreditorInstitution)
	writeText(e, "state", r.State.String())
	writeInstant(e, "answeredDate", r.Answered)
	writeText(e, "idCiBundle", r.SubscriptionID)
	writeChange(e, r.Inserted, r.Updated, 0)
}

// decodeRelation reads the fields of a relation and leaves all others to rest.
func decodeRelation(what string, document []byte, r *Relation, rest func(d *jx.Decoder, name []byte) error) error {
	err := decodeDocument(what, document, func(d *jx.Decoder) error {
		return decodeObject(d, func(d *jx.Decoder, name []byte) (err error) {
			switch string(name) {
			case "id":
				r.ID, err = d.Str()
			case "idBundle":
				r.BundleID, err = d.Str()
			case "idPsp":
				r.PSP, err = d.Str()
			case "ciFiscalCode":
				r.CreditorInstitution, err = d.Str()
			case "state":
				var state string
				if state, err = d.Str(); err == nil {
					r.State, err = ParseState(state)
				}
			case "answeredDate":
				err = decodeInstant(d, &r.Answered)
			case "idCiBundle":
				r.SubscriptionID, err = d.Str()
			case "insertedDate":
				err = decodeInstant(d, &r.Inserted)
			case "lastUpdatedDate":
				err = decodeInstant(d, &r.Updated)
			default:
				err = rest(d, name)
			}
			return err
		})
	})
	if err == nil && (r.ID == "" || r.BundleID == "" || r.PSP == "" || r.CreditorInstitution == "") {
		err = corrupt(what, errors.New("it has no id, no bundle or no parties"))
	}
	return err
}
