package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"gec/api/fragment"
	"gec/api/gecv1"
	"gec/engine"
)

// appendResponse writes an answer of the engine as the bytes of a gec.v1.QuoteResponse after dst: those that
// package proto writes of the message of quoteResponse, fields in order of their numbers
// (TestBytesAreThoseOfTheMessage holds it). Every row starts with the ready fields of its bundle.
func appendResponse(dst []byte, id string, at time.Time, a *engine.Answer) []byte {
	dst = appendText(dst, 1, id)
	dst = appendNumber(dst, 2, uint64(a.Revision))
	dst = appendNumber(dst, 3, a.Seed)
	dst = appendTime(dst, 4, at)
	dst = appendFlag(dst, 5, a.BelowThreshold)
	for i := range a.Quotes {
		dst = appendQuote(dst, &a.Quotes[i])
	}
	for _, failure := range failures(a.Failed) {
		dst = appendMessage(dst, 7, failure)
	}
	return dst
}

// appendQuote writes a row as field 6.
func appendQuote(dst []byte, q *engine.Quote) []byte {
	ready := fragment.OfQuote(q).Message()
	size := len(ready) + sizeFlag(q.OnUs) + sizeNumber(uint64(q.GrossCents)) + sizeNumber(uint64(q.NetCents))
	for i := range q.Contributions {
		size += 1 + protowire.SizeBytes(sizeContribution(&q.Contributions[i]))
	}
	dst = protowire.AppendTag(dst, 6, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(size))
	dst = append(dst, ready...)
	dst = appendFlag(dst, 11, q.OnUs)
	dst = appendNumber(dst, 12, uint64(q.GrossCents))
	dst = appendNumber(dst, 13, uint64(q.NetCents))
	for i := range q.Contributions {
		c := &q.Contributions[i]
		dst = protowire.AppendTag(dst, 14, protowire.BytesType)
		dst = protowire.AppendVarint(dst, uint64(sizeContribution(c)))
		dst = appendText(dst, 1, c.CreditorInstitution)
		dst = appendText(dst, 2, c.SubscriptionID)
		dst = appendNumber(dst, 3, uint64(c.DeclaredCents))
		dst = appendNumber(dst, 4, uint64(c.ActualCents))
	}
	return dst
}

func sizeContribution(c *engine.Contribution) int {
	return sizeText(c.CreditorInstitution) + sizeText(c.SubscriptionID) +
		sizeNumber(uint64(c.DeclaredCents)) + sizeNumber(uint64(c.ActualCents))
}

// The fields that are written have numbers below 16, whose tag is one byte, and are left out at their zero.

func sizeText(value string) int {
	if value == "" {
		return 0
	}
	return 1 + protowire.SizeBytes(len(value))
}

func sizeNumber(value uint64) int {
	if value == 0 {
		return 0
	}
	return 1 + protowire.SizeVarint(value)
}

func sizeFlag(value bool) int {
	if value {
		return 2
	}
	return 0
}

func appendText(dst []byte, number protowire.Number, value string) []byte {
	if value == "" {
		return dst
	}
	return protowire.AppendString(protowire.AppendTag(dst, number, protowire.BytesType), value)
}

func appendNumber(dst []byte, number protowire.Number, value uint64) []byte {
	if value == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, number, protowire.VarintType), value)
}

func appendFlag(dst []byte, number protowire.Number, value bool) []byte {
	return appendNumber(dst, number, protowire.EncodeBool(value))
}

// appendTime writes a google.protobuf.Timestamp.
func appendTime(dst []byte, number protowire.Number, t time.Time) []byte {
	seconds, nanos := uint64(t.Unix()), uint64(t.Nanosecond())
	dst = protowire.AppendTag(dst, number, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(sizeNumber(seconds)+sizeNumber(nanos)))
	return appendNumber(appendNumber(dst, 1, seconds), 2, nanos)
}

// appendRefusal writes the answer to a request of a batch that has none.
func appendRefusal(dst []byte, id string, e *gecv1.Error) []byte {
	return appendMessage(appendText(dst, 1, id), 8, e)
}

// appendMessage writes a message that is rare enough to be made as one.
func appendMessage(dst []byte, number protowire.Number, m proto.Message) []byte {
	dst = protowire.AppendTag(dst, number, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(proto.Size(m)))
	dst, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, m)
	if err != nil { // the texts of m are valid UTF-8: nothing else can fail
		panic(err)
	}
	return dst
}

// validText replaces what cannot be in a text of a message.
func validText(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
