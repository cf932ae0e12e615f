package bundles

import (
	"github.com/go-faster/jx"

	"gec/engine"
)

// writeFee writes paymentAmount for a fee that is only a flat amount, else the object fee (F1, F2).
func writeFee(e *jx.Encoder, f *engine.Fee) {
	if onlyFlat(f) {
		e.FieldStart("paymentAmount")
		e.Int64(f.FlatCents)
		return
	}
	e.FieldStart("fee")
	writeFeeObject(e, f)
}

func onlyFlat(f *engine.Fee) bool {
	return f.PerNoticeCents == 0 && f.BasisPoints == 0 && f.MinCents == nil && f.MaxCents == nil && len(f.Steps) == 0
}

func writeFeeObject(e *jx.Encoder, f *engine.Fee) {
	e.ObjStart()
	writeNumber(e, "flat", f.FlatCents)
	writeNumber(e, "perNotice", f.PerNoticeCents)
	writeNumber(e, "bps", f.BasisPoints)
	writeOptional(e, "min", f.MinCents)
	writeOptional(e, "max", f.MaxCents)
	if len(f.Steps) > 0 {
		e.FieldStart("steps")
		e.ArrStart()
		for i := range f.Steps {
			writeStep(e, &f.Steps[i])
		}
		e.ArrEnd()
	}
	e.ObjEnd()
}

// writeStep writes the fee of a step as a plain number of cents where it is one.
func writeStep(e *jx.Encoder, s *engine.FeeStep) {
	e.ObjStart()
	writeOptional(e, "upTo", s.UpToCents)
	e.FieldStart("fee")
	if onlyFlat(&s.Fee) {
		e.Int64(s.Fee.FlatCents)
	} else {
		writeFeeObject(e, &s.Fee)
	}
	e.ObjEnd()
}

func writeOptional(e *jx.Encoder, name string, value *int64) {
	if value != nil {
		e.FieldStart(name)
		e.Int64(*value)
	}
}

func decodeFee(d *jx.Decoder, f *engine.Fee) error {
	return decodeObject(d, func(d *jx.Decoder, name []byte) (err error) {
		switch string(name) {
		case "flat":
			f.FlatCents, err = d.Int64()
		case "perNotice":
			f.PerNoticeCents, err = d.Int64()
		case "bps":
			f.BasisPoints, err = d.Int64()
		case "min":
			f.MinCents, err = decodeOptional(d)
		case "max":
			f.MaxCents, err = decodeOptional(d)
		case "steps":
			return decodeArray(d, func(d *jx.Decoder) error {
				var step engine.FeeStep
				err := decodeStep(d, &step)
				f.Steps = append(f.Steps, step)
				return err
			})
		default:
			return unknownField(name)
		}
		return err
	})
}

func decodeStep(d *jx.Decoder, s *engine.FeeStep) error {
	return decodeObject(d, func(d *jx.Decoder, name []byte) (err error) {
		switch string(name) {
		case "upTo":
			s.UpToCents, err = decodeOptional(d)
		case "fee":
			if d.Next() == jx.Object {
				return decodeFee(d, &s.Fee)
			}
			s.Fee.FlatCents, err = d.Int64()
		default:
			return unknownField(name)
		}
		return err
	})
}

func decodeOptional(d *jx.Decoder) (*int64, error) {
	value, err := d.Int64()
	return &value, err
}
