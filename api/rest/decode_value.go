package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/go-faster/jx"

	"gec/api/problem"
)

// depthMax is the number of objects and lists that may stand inside one another, unknown members
// included.
const depthMax = 32

// errDepth is returned for a document nested deeper than depthMax.
var errDepth = errors.New("too deep")

// place says where in a request the decoder is, cheaply, so that a path can be written if it comes to it.
type place struct {
	// notice is the index of the notice of the cart, list the list inside the notice or the
	// request, item the index in it; -1, empty and -1 outside of them.
	notice int
	list   string
	item   int
	// key is the member being read; nil between members.
	key []byte
}

// depth returns how many objects and lists are open around the current member.
func (p *place) depth() int {
	depth := 1
	if p.notice >= 0 {
		depth += 2
	}
	if p.list != "" {
		depth += 2
	}
	return depth
}

// leaveList says that the list is read to its end.
func (p *place) leaveList() { p.list, p.item, p.key = "", -1, nil }

// keyBytesMax bounds how much of a foreign key a path repeats.
const keyBytesMax = 64

// path returns the place as "paymentNotice[0].transferList[1].digitalStamp", empty for the whole request.
func (p *place) path() string {
	var parts []string
	if p.notice >= 0 {
		parts = append(parts, "paymentNotice["+strconv.Itoa(p.notice)+"]")
	}
	if p.list != "" {
		list := p.list
		if p.item >= 0 {
			list += "[" + strconv.Itoa(p.item) + "]"
		}
		parts = append(parts, list)
	}
	if len(p.key) > 0 {
		key := string(p.key)
		if len(key) > keyBytesMax {
			key = strings.ToValidUTF8(key[:keyBytesMax], "") + "…"
		}
		parts = append(parts, key)
	}
	return strings.Join(parts, ".")
}

// fault notes that the value at the current place is wrong.
func (d *decoder) fault(message string) {
	if len(d.faults) < faultsMax {
		d.faults = append(d.faults, problem.Field{Path: d.at.path(), Message: message})
	}
}

// faultOf notes that a member of the current object is wrong.
func (d *decoder) faultOf(key, message string) {
	if len(d.faults) < faultsMax {
		at := d.at
		at.key = []byte(key)
		d.faults = append(d.faults, problem.Field{Path: at.path(), Message: message})
	}
}

// require notes a fault where a mandatory member was absent or null.
func (d *decoder) require(seen *fields, f field, key, message string) {
	if seen.given&f == 0 {
		d.faultOf(key, message)
	}
}

// once notes that a member is met. It is false, with a fault, for the second time: what a client means by
// two amounts is anybody's guess, and guesses cost money.
func (d *decoder) once(seen *fields, f field) bool {
	if seen.met&f != 0 {
		d.fault("is given twice, send it once")
		return false
	}
	seen.met |= f
	return true
}

// text reads an optional text. A number is taken as its digits: some clients send codes so.
func (d *decoder) text(seen *fields, f field, into *string) error {
	if !d.once(seen, f) {
		return d.skip(d.at.depth())
	}
	switch d.jx.Next() {
	case jx.String:
		text, err := d.jx.StrBytes()
		*into = borrow(text)
		seen.given |= f
		return err
	case jx.Number:
		digits, err := d.jx.Raw()
		*into = borrow(digits)
		seen.given |= f
		return err
	case jx.Null:
		return d.jx.Null()
	}
	seen.given |= f
	return d.wrong("must be a text")
}

// flag reads an optional truth value. As the platform does, it takes "true" and "false" in quotes and 1 and
// 0; null is false.
func (d *decoder) flag(seen *fields, f field, into *bool) error {
	if !d.once(seen, f) {
		return d.skip(d.at.depth())
	}
	var raw []byte
	var err error
	switch d.jx.Next() {
	case jx.Bool:
		*into, err = d.jx.Bool()
		return err
	case jx.Null:
		return d.jx.Null()
	case jx.String:
		raw, err = d.jx.StrBytes()
	case jx.Number:
		raw, err = d.jx.Raw()
	default:
		return d.wrong("must be true or false")
	}
	switch {
	case err != nil:
	case string(raw) == "1" || bytes.EqualFold(raw, []byte("true")):
		*into = true
	case len(raw) == 0 || string(raw) == "0" || bytes.EqualFold(raw, []byte("false")):
	default:
		d.fault("must be true or false, not " + excerpt(raw))
	}
	return err
}

// amount reads a mandatory amount of cents, 0 or more: a cart may have notices of nothing. An integer in
// quotes is taken as one. Fractions and exponents are refused even where they make a whole number: a client
// that writes 10.0 means 10 €.
func (d *decoder) amount(seen *fields, f field, into *int64) error {
	if !d.once(seen, f) {
		return d.skip(d.at.depth())
	}
	var raw []byte
	var err error
	switch d.jx.Next() {
	case jx.Number:
		raw, err = d.jx.Raw()
	case jx.String:
		raw, err = d.jx.StrBytes()
		raw = bytes.TrimSpace(raw)
	case jx.Null:
		return d.jx.Null()
	default:
		seen.given |= f
		return d.wrong("must be a whole number of cents")
	}
	if err != nil {
		return err
	}
	seen.given |= f
	cents, whole, inRange := parseCents(raw)
	switch {
	case !whole:
		d.fault("is " + excerpt(raw) + ", send a whole number of cents, without decimals or exponent")
	case raw[0] == '-' && (cents != 0 || !inRange):
		d.fault("is " + excerpt(raw) + ", send an amount above 0, in cents")
	case !inRange:
		d.fault("is " + excerpt(raw) + ", send at most " + strconv.FormatInt(math.MaxInt64, 10) + " cents")
	default:
		*into = cents
	}
	return nil
}

// parseCents reads an optional minus and digits. inRange is false where int64 cannot hold them.
func parseCents(raw []byte) (cents int64, whole, inRange bool) {
	digits := raw
	negative := len(digits) > 0 && digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return 0, false, false
	}
	inRange = true
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false, false
		}
		digit := int64(c - '0')
		if cents > (math.MaxInt64-digit)/10 {
			inRange = false
			continue // the rest may yet not be digits
		}
		cents = cents*10 + digit
	}
	if negative {
		cents = -cents
	}
	return cents, true, inRange
}

// list looks at the value of a member that is a list. open says that there is one to be read.
func (d *decoder) list(seen *fields, f field) (open bool, err error) {
	if !d.once(seen, f) {
		return false, d.skip(d.at.depth())
	}
	switch d.jx.Next() {
	case jx.Array:
		seen.given |= f
		return true, nil
	case jx.Null:
		return false, d.jx.Null()
	}
	seen.given |= f
	return false, d.wrong("must be a list")
}

// object looks at an item of a list, which is an object. open says that it is to be read.
func (d *decoder) object() (open bool, err error) {
	if d.jx.Next() == jx.Object {
		return true, nil
	}
	return false, d.wrong("must be an object")
}

// wrong notes a fault and reads over the value.
func (d *decoder) wrong(message string) error {
	d.fault(message)
	return d.skip(d.at.depth())
}

// skip reads over a value inside that many objects and lists. Errors: errDepth, or the decoder's.
func (d *decoder) skip(depth int) error {
	switch d.jx.Next() {
	case jx.Object:
		if depth++; depth > depthMax {
			return errDepth
		}
		members, err := d.jx.ObjIter()
		if err != nil {
			return err
		}
		for members.Next() {
			if err := d.skip(depth); err != nil {
				return err
			}
		}
		return members.Err()
	case jx.Array:
		if depth++; depth > depthMax {
			return errDepth
		}
		items, err := d.jx.ArrIter()
		if err != nil {
			return err
		}
		for items.Next() {
			if err := d.skip(depth); err != nil {
				return err
			}
		}
		return items.Err()
	}
	return d.jx.Skip() // a scalar, or an error
}

// malformed says why a body could not be read to its end. It reads the body once more, slowly.
func (d *decoder) malformed(body []byte) error {
	if bytes.HasPrefix(body, []byte("\uFEFF")) {
		return problem.Malformed("the body starts with a byte order mark: send UTF-8 without one")
	}
	at := d.at.path()
	if at != "" {
		at = " in " + at
	}
	var document json.RawMessage
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(body, &document); {
	case errors.As(err, &syntax):
		line, column := position(body, int(syntax.Offset))
		return problem.Malformed(fmt.Sprintf("the JSON breaks off at line %d, column %d%s: %s", line, column, at, syntax.Error()))
	case err == nil && (len(document) == 0 || document[0] != '{'):
		return problem.Malformed("the body must be a JSON object")
	default:
		return problem.Malformed(fmt.Sprintf("objects and lists are nested too deeply%s, use at most %d levels", at, depthMax))
	}
}

// position returns the line and the column, in characters and from 1, of the last byte read.
func position(body []byte, offset int) (line, column int) {
	before := body[:min(max(offset-1, 0), len(body))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

// encodingHint says what to do about a body that is not UTF-8.
func encodingHint(body []byte) string {
	if bytes.HasPrefix(body, []byte{0xFE, 0xFF}) || bytes.HasPrefix(body, []byte{0xFF, 0xFE}) {
		return "the body is UTF-16: send UTF-8 without a byte order mark"
	}
	for at := 0; at < len(body); {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size == 1 {
			line, column := position(body, at+1)
			return fmt.Sprintf("the body is not UTF-8 at line %d, column %d: send UTF-8", line, column)
		}
		at += size
	}
	return "the body is not UTF-8"
}

// excerptBytesMax bounds how much of a foreign value a message repeats.
const excerptBytesMax = 40

func excerpt(raw []byte) string {
	if len(raw) == 0 {
		return "blank"
	}
	if len(raw) > excerptBytesMax {
		return strings.ToValidUTF8(string(raw[:excerptBytesMax]), "") + "…"
	}
	return string(raw)
}

// borrow returns bytes of the body as a string without copying them. The string is valid as long as the
// body is unchanged; it must not be kept beyond the request.
func borrow(part []byte) string { return unsafe.String(unsafe.SliceData(part), len(part)) }
