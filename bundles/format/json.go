package format

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf16"

	"gec/bundles"
)

// jsonSource walks JSON that encoding/json has found valid as a whole, which is why it need not look
// out for errors. It is here because encoding/json takes a key twice, rewrites half surrogate pairs and
// does not say where a value stands.
type jsonSource struct {
	data []byte
	at   int
	name []byte // buffer of a field's name with escapes
}

// openJSON checks depth, then syntax. encoding/json refuses a second document and everything else that
// RFC 8259 does not allow.
func openJSON(data []byte) (source, *bundles.Fault) {
	if at := depthExceeded(data); at >= 0 {
		return nil, faultAt(data, at, tooDeep(), "")
	}
	if !json.Valid(data) {
		var unused json.RawMessage
		err := json.Unmarshal(data, &unused)
		offset, reason := len(data), "the file is no JSON"
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			offset, reason = max(int(syntax.Offset)-1, 0), syntax.Error()
		}
		return nil, faultAt(data, offset, reason, "write one JSON document")
	}
	s := &jsonSource{data: data}
	s.space()
	return s, nil
}

// depthExceeded returns the offset of the first bracket beyond DepthMax, -1 if there is none.
func depthExceeded(data []byte) int {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > DepthMax {
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}

// space passes over white space.
func (s *jsonSource) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

func (s *jsonSource) peek() (kind, mark) {
	k := number
	switch s.data[s.at] {
	case '{':
		k = object
	case '[':
		k = list
	case '"':
		k = text
	case 't', 'f':
		k = truth
	case 'n':
		k = null
	}
	return k, mark(s.at)
}

func (s *jsonSource) open() {
	s.at++
	s.space()
}

// element moves to the next member of the list, or the object, entered last.
func (s *jsonSource) element() bool {
	switch s.data[s.at] {
	case '}', ']':
		s.at++
		s.space()
		return false
	case ',':
		s.at++
		s.space()
	}
	return true
}

func (s *jsonSource) field() (name []byte, at mark, more bool) {
	if !s.element() {
		return nil, 0, false
	}
	at = mark(s.at)
	raw, escaped := s.quoted()
	name = raw[1 : len(raw)-1]
	if escaped {
		unescaped, _ := unescape(raw)
		s.name = append(s.name[:0], unescaped...)
		name = s.name
	}
	s.at++ // the colon
	s.space()
	return name, at, true
}

// quoted takes the text that is next, quotes included, and the white space after it.
func (s *jsonSource) quoted() (raw []byte, escaped bool) {
	start := s.at
	for s.at++; s.data[s.at] != '"'; s.at++ {
		if s.data[s.at] == '\\' {
			escaped = true
			s.at++
		}
	}
	s.at++
	raw = s.data[start:s.at]
	s.space()
	return raw, escaped
}

func (s *jsonSource) scalar() (string, bool) {
	if s.data[s.at] == '"' {
		raw, escaped := s.quoted()
		if escaped {
			return unescape(raw)
		}
		return string(raw[1 : len(raw)-1]), true
	}
	start := s.at
	s.literal()
	value := string(s.data[start:s.at])
	s.space()
	return value, true
}

// literal passes over a number, true, false or null.
func (s *jsonSource) literal() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return
		}
		s.at++
	}
}

func (s *jsonSource) skip() {
	switch s.data[s.at] {
	case '"':
		s.quoted()
	case '{', '[':
		s.skipNested()
	default:
		s.literal()
		s.space()
	}
}

func (s *jsonSource) skipNested() {
	for depth := 0; ; {
		switch s.data[s.at] {
		case '"':
			s.quoted()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.at++
		if depth == 0 {
			s.space()
			return
		}
	}
}

func (s *jsonSource) places(marks []mark) []position { return positions(s.data, marks) }

// unescape decodes a quoted text with escapes. It is not ok if one of them is half a surrogate pair,
// which encoding/json would silently replace.
func unescape(raw []byte) (value string, ok bool) {
	if err := json.Unmarshal(raw, &value); err != nil {
		return "", false
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		unit := codeUnit(raw[i+1:])
		i += 4
		if !utf16.IsSurrogate(unit) {
			continue
		}
		if i+6 >= len(raw) || raw[i+1] != '\\' || raw[i+2] != 'u' || utf16.DecodeRune(unit, codeUnit(raw[i+3:])) == '\uFFFD' {
			return value, false
		}
		i += 6
	}
	return value, true
}

// codeUnit reads the four hexadecimal digits of an escape.
func codeUnit(digits []byte) rune {
	unit, _ := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(unit)
}
