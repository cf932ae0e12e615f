package condition

import (
	"fmt"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// limits bounds what a source may be (E3).
type limits struct {
	sourceBytes, nesting, nodes, listItems int
	// canonical programs know more names.
	canonical bool
}

// scanner reads a source word by word before expr's parser sees it. It lets through only what the
// language is made of, and bounds the nesting, so that expr's recursive parser cannot be driven
// deep: a million brackets would overflow the stack of the whole process, which nothing catches.
type scanner struct {
	source string
	limits limits
	at     int // offset in bytes of the next word

	open  []bracket // the brackets that are open; never more than limits.nesting
	depth int       // brackets, ternaries and prefixes that are open here
	run   int       // the prefixes directly before at
}

// bracket is an open one, with what closing it takes off the depth: itself, the prefixes before
// it and the ternaries in it.
type bracket struct {
	closing byte
	at      int
	cost    int
}

// scan checks encoding, length, words and nesting, in that order (E3).
func scan(source string, bounds limits) *Error {
	s := &scanner{source: source, limits: bounds}
	if err := s.checkText(); err != nil {
		return err
	}
	s.skipSpace()
	if s.at == len(s.source) {
		return s.refuse(0, "the condition is empty", "leave it out if the bundle always applies, or write a comparison such as amount <= 5000")
	}
	for ; s.at < len(s.source); s.skipSpace() {
		if err := s.word(); err != nil {
			return err
		}
	}
	if len(s.open) > 0 {
		last := s.open[len(s.open)-1]
		return s.refuse(last.at, "this bracket is never closed", "close it with "+string(rune(last.closing)))
	}
	return nil
}

// checkText checks what needs no reading: encoding, then length. Of a source that is too long only
// as much is looked at as a right one could have, so that refusing it costs the same whatever its
// length.
func (s *scanner) checkText() *Error {
	head := s.source
	if len(s.source) > s.limits.sourceBytes {
		head = head[:s.limits.sourceBytes]
		for range utf8.UTFMax - 1 { // do not cut a rune in two
			if !utf8.RuneStart(s.source[len(head)]) {
				head = head[:len(head)-1]
			}
		}
	}
	if !utf8.ValidString(head) {
		for at, r := range head {
			if _, size := utf8.DecodeRuneInString(head[at:]); r == utf8.RuneError && size == 1 {
				return s.refuse(at, fmt.Sprintf("byte 0x%02x is not valid UTF-8", head[at]), "save the condition as UTF-8 text")
			}
		}
	}
	if len(s.source) > s.limits.sourceBytes {
		return s.refuse(len(head), fmt.Sprintf("a condition has at most %d bytes and this has %d", s.limits.sourceBytes, len(s.source)),
			"shorten it, for instance with in and a list, or split the bundle")
	}
	return nil
}

// refuse makes the error for a place in the source.
func (s *scanner) refuse(at int, reason, fix string) *Error {
	return &Error{Column: utf8.RuneCountInString(s.source[:at]) + 1, Reason: reason, Fix: fix}
}

func (s *scanner) skipSpace() {
	for s.at < len(s.source) && isSpace(s.source[s.at]) {
		s.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// peek gives the byte n places on, or 0 behind the end; a 0 in the source is refused elsewhere.
func (s *scanner) peek(n int) byte {
	if s.at+n < len(s.source) {
		return s.source[s.at+n]
	}
	return 0
}

// word reads one word, whatever it is.
func (s *scanner) word() *Error {
	switch c := s.source[s.at]; {
	case isNameByte(c) && !isDigit(c):
		return s.name()
	case isDigit(c):
		return s.number()
	case c == '"' || c == '\'':
		return s.text()
	case c == '(':
		return s.opening(')')
	case c == '[':
		return s.opening(']')
	case c == ')' || c == ']':
		return s.closing(c)
	case c == '!' && s.peek(1) != '=':
		return s.prefix(1)
	case c == '?':
		return s.question()
	}
	if size := operatorSize(s.source[s.at:]); size > 0 {
		s.endRun()
		s.at += size
		return nil
	}
	return s.refuseWord()
}

// operatorSize gives the length of the operator that begins a text, 0 if none does. The longer
// forms that expr would read there (`=&`, `::`, `...`) are no operators.
func operatorSize(rest string) int {
	two := rest[:min(2, len(rest))]
	switch two {
	case "&&", "||", "==", "!=", "<=", ">=":
		return 2
	case "..":
		if len(rest) > 2 && rest[2] == '.' {
			return 0
		}
		return 2
	case "::", "<>":
		return 0
	}
	switch rest[0] {
	case '<', '>', ':', ',':
		return 1
	}
	return 0
}

// endRun ends a run of prefixes: what follows them has been read.
func (s *scanner) endRun() {
	s.depth -= s.run
	s.run = 0
}

// deeper counts one more level at the place that is being read.
func (s *scanner) deeper(at int) *Error {
	s.depth++
	if s.depth > s.limits.nesting {
		return s.refuse(at, fmt.Sprintf("brackets, ! and ? : are nested deeper than %d", s.limits.nesting),
			"flatten it with && and ||, or with in and a list")
	}
	return nil
}

func (s *scanner) prefix(size int) *Error {
	if err := s.deeper(s.at); err != nil {
		return err
	}
	s.run++
	s.at += size
	return nil
}

func (s *scanner) opening(closing byte) *Error {
	if err := s.deeper(s.at); err != nil {
		return err
	}
	s.open = append(s.open, bracket{closing: closing, at: s.at, cost: 1 + s.run})
	s.run = 0
	s.at++
	return nil
}

func (s *scanner) closing(c byte) *Error {
	s.endRun()
	if len(s.open) == 0 {
		return s.refuse(s.at, fmt.Sprintf("this %c closes nothing", c), "take it out, or open it before")
	}
	last := s.open[len(s.open)-1]
	if last.closing != c {
		return s.refuse(s.at, fmt.Sprintf("this %c closes a bracket that wants %c", c, last.closing), fmt.Sprintf("write %c", last.closing))
	}
	s.open = s.open[:len(s.open)-1]
	s.depth -= last.cost
	s.at++
	return nil
}

// question reads a ternary's ?. Its branches nest to the right in expr's parser, so that each one
// counts as a level until its bracket closes.
func (s *scanner) question() *Error {
	s.endRun()
	start := s.at
	switch s.peek(1) {
	case '?', '.':
		return s.refuseWord()
	}
	if err := s.deeper(start); err != nil {
		return err
	}
	if len(s.open) > 0 {
		s.open[len(s.open)-1].cost++
	}
	s.at++
	s.skipSpace()
	if s.peek(0) == ':' {
		return s.refuse(start, "?: leaves out what holds when the question is true", "write all three parts: question ? yes : no, or use ||")
	}
	return nil
}

// number reads a whole decimal number. Leading zeros mean nothing: hour < 08.
func (s *scanner) number() *Error {
	s.endRun()
	start := s.at
	for isDigit(s.peek(0)) {
		s.at++
	}
	if c := s.peek(0); c == '.' && s.peek(1) != '.' {
		return s.refuse(start, "there are no decimal fractions", "amounts are whole euro cents: write 150 for 1.50 €")
	} else if isNameByte(c) || c >= utf8.RuneSelf {
		return s.refuse(s.at, "a number has only the digits 0 to 9", "write it in plain decimal digits, such as 5000")
	}
	if _, err := strconv.ParseInt(s.source[start:s.at], 10, 64); err != nil {
		return s.refuse(start, quoted(s.source[start:s.at])+" is too large a number", fmt.Sprintf("the largest is %d", math.MaxInt64))
	}
	return nil
}

// text reads a text in double or single quotes.
func (s *scanner) text() *Error {
	s.endRun()
	start, quote := s.at, rune(s.source[s.at])
	s.at++
	for s.at < len(s.source) {
		r, size := utf8.DecodeRuneInString(s.source[s.at:])
		switch {
		case r == quote:
			s.at += size
			return nil
		case r == '\\' && (s.peek(1) == '\\' || rune(s.peek(1)) == quote):
			size = 2
		case r == '\\':
			return s.refuse(s.at, "a text has no escapes but \\\\ and that of its own quote", "write the character itself")
		case !unicode.IsPrint(r):
			return s.refuse(s.at, fmt.Sprintf("a text has no control or invisible characters, and this is %U", r), "take it out")
		}
		s.at += size
	}
	return s.refuse(start, "this text is never closed", fmt.Sprintf("close it with %c", quote))
}

// isNameByte reports whether c may stand in a name as expr reads them, as far as ASCII goes.
func isNameByte(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || 'a' <= lower(c) && lower(c) <= 'z'
}

// name reads a name or keyword and refuses all that are not of the language.
func (s *scanner) name() *Error {
	start := s.at
	for s.at < len(s.source) && isNameByte(s.source[s.at]) {
		s.at++
	}
	if c := s.peek(0); s.at < len(s.source) && (c >= utf8.RuneSelf || c < ' ' && !isSpace(c)) {
		return s.refuseWord() // a strange letter says more than the word that it cuts short
	}
	word := s.source[start:s.at]
	if word == "not" {
		s.at = start
		return s.prefix(len(word))
	}
	s.endRun()
	if isKeyword(word) {
		return nil
	}
	if _, known := lookup(word, s.limits.canonical); known {
		return nil
	}
	if reason, fix, known := foreignWord(word); known {
		return s.refuse(start, reason, fix)
	}
	s.skipSpace()
	reason, fix := unknownName(word, s.peek(0) == '(', s.limits.canonical)
	return s.refuse(start, reason, fix)
}
