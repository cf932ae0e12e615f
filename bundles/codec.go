package bundles

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-faster/jx"

	"gec/engine"
)

// The codec turns the things of a catalogue into the JSON that stores keep, and back. Names are those
// of the wire contract (spec 4). The bytes are deterministic: fields come in one fixed order, absent
// optional ones are left out, maps are sorted; so that equal things have equal bytes and hashes.
//
// Decoding trusts the store: it checks the form, not the A-rules. A field that it does not know is an
// error all the same, because a bundle with a condition that this version cannot see must not be
// quoted.

// ErrCorrupt is returned when stored bytes are not what the codec wrote, or were written by a later
// version with fields that this one does not know.
var ErrCorrupt = errors.New("stored document is damaged or of a later version")

func corrupt(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrCorrupt, what, err)
}

func unknownField(name []byte) error {
	return fmt.Errorf("field %s is unknown", Excerpt(string(name)))
}

// decodeDocument calls decode over the bytes and requires that nothing follows.
func decodeDocument(what string, document []byte, decode func(d *jx.Decoder) error) error {
	d := jx.GetDecoder()
	defer jx.PutDecoder(d)
	d.ResetBytes(document)
	if err := decode(d); err != nil {
		return corrupt(what, err)
	}
	if d.Next() != jx.Invalid {
		return corrupt(what, errors.New("bytes follow its end"))
	}
	return nil
}

// decodeObject calls field for every field of an object, with the decoder at the value.
func decodeObject(d *jx.Decoder, field func(d *jx.Decoder, name []byte) error) error {
	fields, err := d.ObjIter()
	if err != nil {
		return err
	}
	for fields.Next() {
		if err := field(d, fields.Key()); err != nil {
			return fmt.Errorf("%s: %w", fields.Key(), err)
		}
	}
	return fields.Err()
}

// decodeArray calls element for every element of an array.
func decodeArray(d *jx.Decoder, element func(d *jx.Decoder) error) error {
	elements, err := d.ArrIter()
	if err != nil {
		return err
	}
	for elements.Next() {
		if err := element(d); err != nil {
			return err
		}
	}
	return elements.Err()
}

func decodeStrings(d *jx.Decoder) (texts []string, err error) {
	texts = []string{}
	err = decodeArray(d, func(d *jx.Decoder) error {
		text, err := d.Str()
		texts = append(texts, text)
		return err
	})
	return texts, err
}

func decodeDate(d *jx.Decoder, into *engine.Date) error {
	text, err := d.StrBytes()
	if err != nil {
		return err
	}
	date, err := engine.ParseDate(string(text))
	*into = date
	return err
}

func decodeInstant(d *jx.Decoder, into *time.Time) error {
	text, err := d.StrBytes()
	if err != nil {
		return err
	}
	instant, err := time.Parse(time.RFC3339Nano, string(text))
	*into = instant.UTC()
	return err
}

// The writers of optional fields: nothing is written for the zero value.

func writeText(e *jx.Encoder, name, text string) {
	if text != "" {
		e.FieldStart(name)
		e.Str(text)
	}
}

func writeTrue(e *jx.Encoder, name string, value bool) {
	if value {
		e.FieldStart(name)
		e.Bool(true)
	}
}

func writeNumber(e *jx.Encoder, name string, value int64) {
	if value != 0 {
		e.FieldStart(name)
		e.Int64(value)
	}
}

func writeStrings(e *jx.Encoder, name string, texts []string) {
	if len(texts) > 0 {
		e.FieldStart(name)
		e.ArrStart()
		for _, text := range texts {
			e.Str(text)
		}
		e.ArrEnd()
	}
}

func writePeriod(e *jx.Encoder, p engine.Period) {
	writeText(e, "validityDateFrom", p.From.String())
	writeText(e, "validityDateTo", p.To.String())
}

// writeChange writes what the catalogue, not an author, knows of a thing.
func writeChange(e *jx.Encoder, inserted, updated time.Time, revision int64) {
	writeInstant(e, "insertedDate", inserted)
	writeInstant(e, "lastUpdatedDate", updated)
	writeNumber(e, "revision", revision)
}

func writeInstant(e *jx.Encoder, name string, instant time.Time) {
	if !instant.IsZero() {
		writeText(e, name, instant.UTC().Format(time.RFC3339Nano))
	}
}
