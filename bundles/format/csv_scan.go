package format

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"gec/bundles"
)

// csvCell is one cell: its text, as it was before it was made safe for spreadsheets, and its place.
type csvCell struct {
	text string
	at   mark
}

// csvScanner cuts a text into rows and cells (RFC 4180, with any of three separators and any of three
// ends of line). Package encoding/csv is not used because it rewrites ends of line within a cell, cannot
// say where a cell begins, and holds a row of a million cells before anybody can refuse it.
type csvScanner struct {
	data      []byte
	separator byte
	at        int
	// reason says what is wrong with the row scanned last, at the offset bad; empty for a good one.
	reason, fix string
	bad         int
}

// more reports whether there is another row.
func (s *csvScanner) more() bool { return s.at < len(s.data) }

// row scans the next row into cells, of which it keeps the first columnsMax+1. A row that is not well
// formed is passed over up to the end of its line.
func (s *csvScanner) row(cells []csvCell) []csvCell {
	s.reason, s.fix = "", ""
	for {
		begin := s.at
		raw, ended := s.cell()
		if s.reason != "" {
			s.skipLine()
			return cells
		}
		if len(cells) <= columnsMax {
			cells = append(cells, csvCell{armless(string(raw)), mark(begin)})
		}
		if ended {
			return cells
		}
	}
}

// cell scans one cell and what ends it: a separator, or the end of the row.
func (s *csvScanner) cell() (raw []byte, ended bool) {
	if s.at < len(s.data) && s.data[s.at] == '"' {
		return s.quoted()
	}
	begin := s.at
	for ; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case s.separator:
			s.at++
			return s.bounded(begin, s.data[begin:s.at-1]), false
		case '\n', '\r':
			raw = s.data[begin:s.at]
			s.endLine()
			return s.bounded(begin, raw), true
		case '"':
			s.fail(s.at, "is a quote within a cell that has none around it", `put the cell in quotes, from its first character on, and write "" for a quote within it`)
			return nil, true
		}
	}
	return s.bounded(begin, s.data[begin:]), true
}

// quoted scans a cell in quotes.
func (s *csvScanner) quoted() (raw []byte, ended bool) {
	begin := s.at
	s.at++
	start, doubled := s.at, false
	for {
		next := bytes.IndexByte(s.data[s.at:], '"')
		if next < 0 {
			s.at = len(s.data)
			s.fail(begin, "begins with a quote that is never closed", "close it at the end of the cell")
			return nil, true
		}
		s.at += next + 1
		if s.at == len(s.data) || s.data[s.at] != '"' {
			break
		}
		doubled = true
		s.at++
	}
	raw = s.data[start : s.at-1]
	if doubled {
		raw = bytes.ReplaceAll(raw, []byte(`""`), []byte(`"`))
	}
	switch {
	case s.at == len(s.data):
		return s.bounded(begin, raw), true
	case s.data[s.at] == s.separator:
		s.at++
		return s.bounded(begin, raw), false
	case s.data[s.at] == '\n' || s.data[s.at] == '\r':
		s.endLine()
		return s.bounded(begin, raw), true
	}
	s.fail(s.at, "is text after the closing quote of a cell", `write "" for a quote within a cell`)
	return nil, true
}

func (s *csvScanner) bounded(begin int, raw []byte) []byte {
	if len(raw) > cellBytesMax {
		s.fail(begin, fmt.Sprintf("is %d bytes long", len(raw)), fmt.Sprintf("a cell may have %d", cellBytesMax))
		return nil
	}
	return raw
}

func (s *csvScanner) fail(at int, reason, fix string) { s.bad, s.reason, s.fix = at, reason, fix }

// endLine passes over one end of line: \r\n, \n or \r.
func (s *csvScanner) endLine() {
	if s.data[s.at] == '\r' && s.at+1 < len(s.data) && s.data[s.at+1] == '\n' {
		s.at++
	}
	s.at++
}

func (s *csvScanner) skipLine() {
	if s.at > 0 && s.data[s.at-1] == '\n' { // the fault was found when the row had ended
		return
	}
	if next := bytes.IndexByte(s.data[s.at:], '\n'); next >= 0 {
		s.at += next + 1
	} else {
		s.at = len(s.data)
	}
}

// newCSVScanner finds the separator from the first row that is not empty: the one that it has most of, outside
// quotes. A first line "sep=;", which spreadsheets understand, names it.
func newCSVScanner(data []byte) *csvScanner {
	s := &csvScanner{data: data, separator: ';', at: emptyRows(data)}
	data = data[s.at:]
	if len(data) > 5 && bytes.EqualFold(data[:4], []byte("sep=")) && bytes.IndexByte([]byte(",;\t"), data[4]) >= 0 && (data[5] == '\n' || data[5] == '\r') {
		s.separator, s.at = data[4], s.at+5
		s.endLine()
		return s
	}
	counts, inQuotes := [256]int{}, false
	for _, b := range data {
		if b == '"' {
			inQuotes = !inQuotes
		}
		if (b == '\n' || b == '\r') && !inQuotes {
			break
		}
		if !inQuotes {
			counts[b]++
		}
	}
	for _, b := range []byte(",\t") {
		if counts[b] > counts[s.separator] {
			s.separator = b
		}
	}
	return s
}

// emptyRows returns where the first row begins that is not empty.
func emptyRows(data []byte) int {
	first := len(data) - len(bytes.TrimLeft(data, ",;\t \r\n"))
	return bytes.LastIndexAny(data[:first], "\r\n") + 1
}

// arms are the characters with which a cell begins that a spreadsheet takes for a formula, the wide ones
// of East Asian keyboards among them (OWASP, "CSV injection").
const arms = "=+-@\t\r\n\uFF0B\uFF0D\uFF1D\uFF20"

// armed reports whether a spreadsheet might run the text, or it is an armed text made safe.
func armed(text string) bool {
	r, size := utf8.DecodeRuneInString(strings.TrimLeft(text, "'"))
	return size > 0 && r != utf8.RuneError && strings.ContainsRune(arms, r)
}

// SafeCell makes a text safe for spreadsheets, armless takes that back: an apostrophe more or less before
// what is armed. All other texts, also those that begin with an apostrophe, stay as they are, so that
// both are exact whoever wrote the file.
func SafeCell(text string) string {
	if armed(text) {
		return "'" + text
	}
	return text
}

func armless(text string) string {
	if strings.HasPrefix(text, "'") && armed(text) {
		return text[1:]
	}
	return text
}

// textCSV returns the file as UTF-8 without byte order mark, and how it came by that.
func textCSV(data []byte) (text []byte, warning string, fault *bundles.Fault) {
	const fix = "save the file as CSV UTF-8"
	marked := bytes.HasPrefix(data, []byte("\xEF\xBB\xBF"))
	text = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	nul := bytes.IndexByte(text, 0)
	switch {
	case len(bytes.TrimLeft(text, " \t\r\n")) == 0:
		return nil, "", &bundles.Fault{Reason: "the file is empty", Fix: "begin with a row that names the columns"}
	case bytes.HasPrefix(text, []byte("\xFE\xFF")), bytes.HasPrefix(text, []byte("\xFF\xFE")), nul >= 0 && nul < 4:
		return nil, "", &bundles.Fault{Line: 1, Column: 1, Reason: "the file is UTF-16 or UTF-32", Fix: fix}
	case nul >= 0:
		return nil, "", faultAt(text, nul, "the file holds a NUL character", fix)
	case utf8.Valid(text):
		return text, "", nil
	case marked:
		return nil, "", faultAt(text, invalidAt(text), "the file is not valid UTF-8, though it begins with the mark of it", fix)
	}
	at := invalidAt(text)
	wide, unknown := fromWindows1252(text)
	if unknown >= 0 {
		return nil, "", faultAt(text, unknown, "the file is neither valid UTF-8 nor Windows-1252", fix)
	}
	p := positions(text, []mark{mark(at)})[0]
	return wide, fmt.Sprintf("the file is not UTF-8 (line %d): it was read as Windows-1252", p.line), nil
}

// fromWindows1252 returns the text as UTF-8, or the offset of a byte that is no character there.
func fromWindows1252(data []byte) (text []byte, unknown int) {
	// The characters of the bytes 0x80 to 0x9F; all others are those of ISO-8859-1. 0: none.
	const none = 0
	upper := [32]rune{
		'€', none, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', none, 'Ž', none,
		none, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', none, 'ž', 'Ÿ',
	}
	text = make([]byte, 0, len(data)+len(data)/8)
	for i, b := range data {
		r := rune(b)
		if 0x80 <= b && b <= 0x9F {
			if r = upper[b-0x80]; r == none {
				return nil, i
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return text, -1
}
