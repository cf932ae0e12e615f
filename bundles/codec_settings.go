package bundles

import (
	"github.com/go-faster/jx"

	"gec/engine"
)

// EncodeSettings returns the stored form of the operator's settings without the issuers, which are
// rows of their own (see EncodeIssuer).
func EncodeSettings(s *engine.Settings) []byte {
	var e jx.Encoder
	e.ObjStart()
	writeNumber(&e, "amountThreshold", s.ThresholdCents)
	writeText(&e, "idPspPoste", s.PostePSP)
	writeText(&e, "amexAbi", s.AmexABI)
	writeStrings(&e, "pspBlacklist", s.BlockedPSPs)
	writeStrings(&e, "touchpoints", s.Touchpoints)
	writeStrings(&e, "paymentTypes", s.PaymentTypes)
	e.ObjEnd()
	return e.Bytes()
}

// DecodeSettings reads the stored form; Issuers stays nil. The result shares no bytes with document.
// Errors: ErrCorrupt.
func DecodeSettings(document []byte) (s engine.Settings, err error) {
	err = decodeDocument("settings", document, func(d *jx.Decoder) error {
		return decodeObject(d, func(d *jx.Decoder, name []byte) (err error) {
			switch string(name) {
			case "amountThreshold":
				s.ThresholdCents, err = d.Int64()
			case "idPspPoste":
				s.PostePSP, err = d.Str()
			case "amexAbi":
				s.AmexABI, err = d.Str()
			case "pspBlacklist":
				s.BlockedPSPs, err = decodeStrings(d)
			case "touchpoints":
				s.Touchpoints, err = decodeStrings(d)
			case "paymentTypes":
				s.PaymentTypes, err = decodeStrings(d)
			default:
				return unknownField(name)
			}
			return err
		})
	})
	if err != nil {
		return engine.Settings{}, err
	}
	return s, nil
}

// EncodeIssuer returns the stored form of an issuer's range.
func EncodeIssuer(r engine.IssuerRange) []byte {
	var e jx.Encoder
	e.ObjStart()
	e.FieldStart("low")
	e.Int64(r.Low)
	e.FieldStart("high")
	e.Int64(r.High)
	e.FieldStart("abi")
	e.Str(r.ABI)
	e.ObjEnd()
	return e.Bytes()
}

// DecodeIssuer reads the stored form. The result shares no bytes with document. Errors: ErrCorrupt.
func DecodeIssuer(document []byte) (r engine.IssuerRange, err error) {
	err = decodeDocument("issuer range", document, func(d *jx.Decoder) error {
		return decodeObject(d, func(d *jx.Decoder, name []byte) (err error) {
			switch string(name) {
			case "low":
				r.Low, err = d.Int64()
			case "high":
				r.High, err = d.Int64()
			case "abi":
				r.ABI, err = d.Str()
			default:
				return unknownField(name)
			}
			return err
		})
	})
	if err != nil {
		return engine.IssuerRange{}, err
	}
	return r, nil
}
