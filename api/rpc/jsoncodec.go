package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/gecv1"
	"gec/api/problem"
	"gec/bundles"
)

// unmarshal reads one JSON document into a message. Unknown fields, fields given twice, text that is
// not UTF-8 and anything after the document are faults. Errors: a problem, with the path of the field as
// the document has it, the line and the column.
func unmarshal(document []byte, into proto.Message) error {
	if len(bytes.TrimSpace(document)) == 0 {
		return problem.Of(bundles.Fault{Reason: "the body is empty", Fix: "send one JSON object"})
	}
	err := protojson.UnmarshalOptions{RecursionLimit: jsonDepthMax}.Unmarshal(document, into)
	if err == nil {
		return nil
	}
	return problem.Of(jsonFault(document, err, into.ProtoReflect().Descriptor()))
}

// jsonDepthMax is more than the messages of the contract nest.
const jsonDepthMax = 16

// marshal appends a message as one line of JSON. Fields at zero are written too, so that a reader sees
// every field; but for errors of a batch, which state nothing else. protojson varies its spaces from one
// build to the next on purpose; they are taken out, so that equal answers are equal bytes (P7).
func marshal(to *bytes.Buffer, m proto.Message) error {
	options := protojson.MarshalOptions{EmitDefaultValues: true}
	if answer, ok := m.(*gecv1.QuoteResponse); ok && answer.GetError() != nil {
		options.EmitDefaultValues = false
	}
	text, err := options.Marshal(m)
	if err != nil {
		return err
	}
	if err := json.Compact(to, text); err != nil {
		return err
	}
	return to.WriteByte('\n')
}

// reasonMax bounds how many bytes of a foreign text a message repeats.
const reasonMax = 160

// jsonFault says where and why a document could not be read.
func jsonFault(document []byte, err error, message protoreflect.MessageDescriptor) bundles.Fault {
	reason := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
	fault, offset := bundles.Fault{}, len(document)
	if head, rest, ok := strings.Cut(reason, "): "); ok {
		at := strings.LastIndex(head, "(line ")
		if _, err := fmt.Sscanf(head[max(at, 0):], "(line %d:%d", &fault.Line, &fault.Column); err == nil {
			offset = offsetOf(document, fault.Line, fault.Column)
			reason = head[:at] + rest
		}
	}
	parent, name := placeAt(document, offset)
	fault.Path = joinPath(parent, name)
	fault.Reason = shorten(reason)
	switch {
	case strings.HasPrefix(reason, "unknown field "):
		fault.Reason, fault.Fix = "is no field of the message", knownFields(message, parent, name)
	case strings.HasPrefix(reason, "duplicate field "):
		fault.Fix = "send it once"
	case bytes.HasPrefix(document, []byte("\uFEFF")):
		fault.Reason, fault.Fix = "the body begins with a byte order mark", "send UTF-8 without one"
	case !utf8.Valid(document):
		fault.Fix = "send UTF-8"
	case !json.Valid(document):
		fault.Fix = "send one JSON object"
	case strings.HasSuffix(reason, io.ErrUnexpectedEOF.Error()):
		// protojson's word for the first half of a surrogate pair, escaped, at the end of a text
		fault.Reason, fault.Fix = "a text of the body ends in half a character", "send both halves of a surrogate pair"
	default:
		fault.Reason = strings.TrimPrefix(fault.Reason, "syntax error ")
		fault.Fix = wanted(message, append(parent, name))
	}
	return fault
}

// wanted says what belongs at a path of a well-formed document.
func wanted(message protoreflect.MessageDescriptor, path []string) string {
	field, element, ok := fieldAt(message, path)
	switch {
	case !ok:
		return ""
	case field == nil:
		return "send one JSON object"
	case field.IsList() && !element:
		return "send a list"
	case field.Enum() != nil:
		var names []string
		for i := range field.Enum().Values().Len() {
			names = append(names, string(field.Enum().Values().Get(i).Name()))
		}
		return "use one of " + strings.Join(names, ", ")
	case field.Message() != nil && field.Message().FullName() == (&timestamppb.Timestamp{}).ProtoReflect().Descriptor().FullName():
		return "send an instant as 2026-11-21T10:30:00Z"
	}
	return map[protoreflect.Kind]string{
		protoreflect.MessageKind: "send an object",
		protoreflect.StringKind:  "send a text",
		protoreflect.BoolKind:    "send true or false",
		protoreflect.Int32Kind:   "send a whole number, at most 2147483647",
		protoreflect.Int64Kind:   "send a whole number, at most 9223372036854775807",
		protoreflect.Uint64Kind:  "send a whole number from 0 to 18446744073709551615",
	}[field.Kind()]
}

// fieldAt returns the field that a path leads to, nil for the whole message, and whether the path ends in an
// element of its list. It is not ok where the path leads out of the messages.
func fieldAt(message protoreflect.MessageDescriptor, path []string) (field protoreflect.FieldDescriptor, element, ok bool) {
	for _, step := range path {
		if step == "" {
			continue
		}
		if element = strings.HasPrefix(step, "["); element {
			continue
		}
		if field != nil {
			if message = field.Message(); message == nil {
				return nil, false, false
			}
		}
		if field = message.Fields().ByJSONName(step); field == nil {
			field = message.Fields().ByTextName(step)
		}
		if field == nil {
			return nil, false, false
		}
	}
	return field, element, true
}

func shorten(reason string) string {
	if len(reason) > reasonMax {
		reason = reason[:reasonMax] + "…"
	}
	return strings.ToValidUTF8(reason, "\uFFFD")
}

// knownFields says which fields the message at a place has, and which one was probably meant.
func knownFields(message protoreflect.MessageDescriptor, parent []string, name string) string {
	if field, _, ok := fieldAt(message, parent); !ok || field != nil && field.Message() == nil {
		return ""
	} else if field != nil {
		message = field.Message()
	}
	known := make([]string, 0, message.Fields().Len())
	for i := range message.Fields().Len() {
		known = append(known, message.Fields().Get(i).JSONName())
	}
	if near := bundles.Nearest(name, known); near != "" {
		return "use " + near
	}
	slices.Sort(known)
	return "use " + strings.Join(known, ", ")
}

// offsetOf returns the offset of a place that counts lines and characters from 1.
func offsetOf(document []byte, line, column int) int {
	offset := 0
	for ; line > 1; line-- {
		next := bytes.IndexByte(document[offset:], '\n')
		if next < 0 {
			return len(document)
		}
		offset += next + 1
	}
	for i := range string(document[offset:]) {
		if column--; column == 0 {
			return offset + i
		}
	}
	return len(document)
}

// level is one open object or array on the way to a place.
type level struct {
	array bool
	// index of the present element, from 0.
	index int
	// key of the present member; the next token is a key while needsKey is set.
	key      string
	needsKey bool
}

func (l *level) step() string {
	if l.array {
		return fmt.Sprintf("[%d]", l.index)
	}
	return l.key
}

// next moves on after a value.
func (l *level) next() {
	l.index++
	l.key, l.needsKey = "", !l.array
}

// placeAt returns the path of the value or the name that begins at an offset: that of what it is in,
// and its own last step. The document need not be well formed from there on.
func placeAt(document []byte, offset int) (parent []string, name string) {
	tokens := json.NewDecoder(bytes.NewReader(document))
	var open []level
	for {
		at := int(tokens.InputOffset())
		at += len(document[at:]) - len(bytes.TrimLeft(document[at:], " \t\r\n,:"))
		here := at >= offset
		if here && (len(open) == 0 || !open[len(open)-1].needsKey) {
			break
		}
		token, err := tokens.Token()
		if err != nil {
			break
		}
		open = advance(open, token)
		if here || len(open) == 0 {
			break
		}
	}
	for i := range open {
		parent = append(parent, open[i].step())
	}
	if len(parent) == 0 {
		return nil, ""
	}
	return parent[:len(parent)-1], parent[len(parent)-1]
}

// advance returns the open levels after one more token.
func advance(open []level, token json.Token) []level {
	top := func() *level { return &open[len(open)-1] }
	switch delimiter, _ := token.(json.Delim); delimiter {
	case '{':
		return append(open, level{needsKey: true})
	case '[':
		return append(open, level{array: true})
	case '}', ']':
		open = open[:len(open)-1]
	default:
		if len(open) > 0 && top().needsKey {
			top().key, _ = token.(string)
			top().needsKey = false
			return open
		}
	}
	if len(open) > 0 {
		top().next()
	}
	return open
}

// joinPath writes a path as "payment.notices[0].amountCents".
func joinPath(parent []string, name string) string {
	var path strings.Builder
	for _, step := range append(slices.Clone(parent), name) {
		if path.Len() > 0 && step != "" && step[0] != '[' {
			path.WriteByte('.')
		}
		path.WriteString(step)
	}
	return shorten(path.String())
}

// withJSONNames returns an error of the domain with the names of the JSON form in its paths. A problem
// has them already.
func withJSONNames(err error) error {
	var made *problem.Problem
	var faults bundles.Faults
	if errors.As(err, &made) || !errors.As(err, &faults) {
		return err
	}
	renamed := slices.Clone(faults)
	for i := range renamed {
		renamed[i].Path = jsonName(renamed[i].Path)
	}
	return renamed
}

// jsonName turns amount_cents into amountCents, all along a path.
func jsonName(path string) string {
	words := strings.Split(path, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}
