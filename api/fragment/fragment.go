// Package fragment renders the part of an answer's row that is the same in every answer: a bundle's own
// names and codes. It is rendered once, when a snapshot is built, so that answering a payment is mostly
// copying (the catalogue calls [Of] through its Annotate option, and quotes carry the result back as
// their Note). The package knows nothing of payments and quotes.
package fragment

import (
	"strings"

	"github.com/go-faster/jx"

	"gec/engine"
)

// Fragment is the constant part of the rows of one bundle. It is immutable.
type Fragment struct {
	row []byte
}

// Of renders the constant part of a bundle's rows, as a *Fragment. It fits bundles.Options.Annotate.
func Of(b *engine.Bundle) any { return New(b) }

// New is [Of] with its own type.
func New(b *engine.Bundle) *Fragment {
	paymentMethod := b.PaymentType
	if paymentMethod == "" {
		paymentMethod = engine.Any // Q3: a bundle for any type is shown as ANY
	}
	var w jx.Writer
	w.ObjStart()
	for _, member := range [...]struct{ name, value string }{
		{"paymentMethod", paymentMethod},
		{"touchpoint", b.Touchpoint},
		{"idBundle", b.ID},
		{"bundleName", b.Name},
		{"bundleDescription", b.Description},
		{"idPsp", b.PSP},
		{"idChannel", b.Channel},
		{"idBrokerPsp", b.Broker},
		{"abi", b.ABI},
		{"pspBusinessName", b.PSPBusinessName},
	} {
		w.FieldStart(member.name)
		if member.value == "" {
			w.Null() // spec 4: absent values are written as null
		} else {
			w.Str(strings.ToValidUTF8(member.value, "\uFFFD"))
		}
		w.Comma()
	}
	return &Fragment{row: append(make([]byte, 0, len(w.Buf)), w.Buf...)}
}

// Row returns the beginning of a JSON object of the wire contract (v1 and v2 alike): the open bracket and
// the bundle's constant members, with a comma after the last. The caller appends the members that depend
// on the payment and closes the object. The bytes are shared: they must not be changed.
func (f *Fragment) Row() []byte { return f.row }

// AppendString writes s as a JSON string after dst.
func AppendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			w := jx.Writer{Buf: dst}
			w.Str(strings.ToValidUTF8(s, "\uFFFD"))
			return w.Buf
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
