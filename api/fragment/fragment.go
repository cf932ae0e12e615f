// Package fragment renders the part of an answer's row that is the same in every answer: a bundle's own
// names and codes, as members of a JSON object and as fields of a protobuf message. It is rendered when
// the bundle is quoted for the first time, so that answering a payment is mostly copying (the engine calls [Of] through
// the catalogue's Annotate option, and quotes carry the result back as their Note). The package knows nothing of what
// depends on the payment.
package fragment

import (
	"strings"

	"github.com/go-faster/jx"
	"google.golang.org/protobuf/encoding/protowire"

	"gec/engine"
)

// Fragment is the constant part of the rows of one bundle. It is immutable.
type Fragment struct {
	// row and message share one piece of memory.
	row, message []byte
}

// Of renders the constant part of a bundle's rows, as a *Fragment. It fits bundles.Options.Annotate.
func Of(b *engine.Bundle) any { return New(b) }

// New is [Of] with its own type.
func New(b *engine.Bundle) *Fragment {
	paymentType := b.PaymentType
	if paymentType == "" {
		paymentType = engine.Any // Q3: a bundle for any type is shown as ANY
	}
	var w jx.Writer
	w.ObjStart()
	for _, member := range [...]struct{ name, value string }{
		{"paymentMethod", paymentType},
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
	end := len(w.Buf)
	// The fields 1 to 10 of gec.v1.Quote, in order.
	for i, value := range [...]string{
		b.ID, b.Name, b.Description, b.PSP, b.Channel, b.Broker, b.ABI, b.PSPBusinessName, paymentType, b.Touchpoint,
	} {
		if value != "" {
			w.Buf = protowire.AppendTag(w.Buf, protowire.Number(i+1), protowire.BytesType)
			w.Buf = protowire.AppendString(w.Buf, strings.ToValidUTF8(value, "\uFFFD"))
		}
	}
	kept := append(make([]byte, 0, len(w.Buf)), w.Buf...)
	return &Fragment{row: kept[:end:end], message: kept[end:]}
}

// OfQuote returns the fragment that a quote of the snapshot carries, or makes one where it carries none.
func OfQuote(q *engine.Quote) *Fragment {
	if ready, ok := q.Note.(*Fragment); ok {
		return ready
	}
	return New(q.Bundle)
}

// Row returns the beginning of a JSON object of the wire contract (v1 and v2 alike): the open bracket and
// the bundle's constant members, with a comma after the last. The caller appends the members that depend
// on the payment and closes the object. The bytes are shared: they must not be changed.
func (f *Fragment) Row() []byte { return f.row }

// Message returns the beginning of the bytes of a message gec.v1.Quote: the fields that are the bundle's.
// The caller appends those that depend on the payment. The bytes are shared: they must not be changed.
func (f *Fragment) Message() []byte { return f.message }

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
