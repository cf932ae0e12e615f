package format

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"gec/bundles"
)

// kind is the kind of a value in a text.
type kind uint8

const (
	object kind = iota + 1
	list
	text
	number
	truth
	null
	// plain is a YAML scalar without quotes that is not null: a text where text is due, a number
	// where a number is, so that nobody's ABI 07601 becomes an octal number nor NO a Norwegian no.
	plain
)

// String names the kind as messages do.
func (k kind) String() string {
	return [...]string{"nothing", "an object", "a list", "text", "a number", "true or false", "null", "text"}[k]
}

// mark is a place in a text, in terms of its source. Marks of one text are in order.
type mark int64

// source walks one document, value by value, in the order of the text. It was checked as a whole when
// it was opened, so that walking it does not fail.
type source interface {
	// peek returns the kind and place of the next value.
	peek() (kind, mark)
	// open enters the object or list that is next.
	open()
	// field moves to the next field of the object entered last and makes its value the next one;
	// without more it leaves the object. The name is valid until the next call.
	field() (name []byte, at mark, more bool)
	// element moves to the next element of the list entered last; without more it leaves the list.
	element() (more bool)
	// scalar takes the next value, which is neither object nor list: the text, or the literal as
	// it is written. It is not ok if the text is no text: half a surrogate pair.
	scalar() (value string, ok bool)
	// skip passes over the next value.
	skip()
	// places returns the lines and columns of marks, which are sorted.
	places(marks []mark) []position
}

// position is a place as people count it, both from 1; columns in characters.
type position struct{ line, column int }

// open checks the text as a whole and returns its source. The fault says why it cannot be read.
func open(name Name, data []byte) (source, *bundles.Fault) {
	if fault := checkEncoding(data); fault != nil {
		return nil, fault
	}
	first := bytes.TrimLeft(data, " \t\r\n")
	if name == Native && first[0] != '{' && first[0] != '[' {
		return openYAML(data)
	}
	return openJSON(data)
}

// checkEncoding requires plain UTF-8.
func checkEncoding(data []byte) *bundles.Fault {
	const fix = "save the file as UTF-8 without a byte order mark"
	switch {
	case len(bytes.TrimLeft(data, " \t\r\n")) == 0:
		return &bundles.Fault{Reason: "the file is empty", Fix: "write an object with the field bundles"}
	case bytes.HasPrefix(data, []byte("\xEF\xBB\xBF")):
		return &bundles.Fault{Line: 1, Column: 1, Reason: "the file begins with a byte order mark", Fix: fix}
	case bytes.HasPrefix(data, []byte("\xFE\xFF")), bytes.HasPrefix(data, []byte("\xFF\xFE")), bytes.IndexByte(data[:min(4, len(data))], 0) >= 0:
		return &bundles.Fault{Line: 1, Column: 1, Reason: "the file is UTF-16 or UTF-32", Fix: fix}
	case !utf8.Valid(data):
		return faultAt(data, invalidAt(data), "the file is not valid UTF-8", fix)
	}
	return nil
}

// invalidAt returns the offset of the first byte that is not UTF-8.
func invalidAt(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return len(data)
}

// faultAt makes the fault of a file that cannot be read beyond an offset.
func faultAt(data []byte, offset int, reason, fix string) *bundles.Fault {
	p := positions(data, []mark{mark(offset)})[0]
	return &bundles.Fault{Line: p.line, Column: p.column, Reason: reason, Fix: fix}
}

// positions counts lines and columns of sorted offsets in one pass.
func positions(data []byte, offsets []mark) []position {
	found := make([]position, len(offsets))
	at, p := 0, position{1, 1}
	for i, offset := range offsets {
		between := data[at:min(int(offset), len(data))]
		if last := bytes.LastIndexByte(between, '\n'); last >= 0 {
			p.line += bytes.Count(between, []byte{'\n'})
			p.column = 1
			between = between[last+1:]
		}
		p.column += utf8.RuneCount(between)
		at = min(int(offset), len(data))
		found[i] = p
	}
	return found
}

// tooDeep is the fault of a text nested deeper than DepthMax.
func tooDeep() string { return fmt.Sprintf("objects and lists are nested deeper than %d", DepthMax) }
