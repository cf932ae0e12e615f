package format

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// The bounds of lists, beyond those of the whole file.
const (
	listMax       = 100_000
	stepsMax      = 1_000
	attributesMax = 10_000
	// faultsMax is how many faults of a file are gathered; then the rest of it is passed over.
	faultsMax = 10_000
)

// decoder takes values from a source and gathers faults.
type decoder struct {
	source
	name Name
	// lenient takes documents as they are: unknown fields are ignored, a number is a text where
	// text is due, enumerations are in any case.
	lenient  bool
	tables   tables
	path     []step
	faults   []found
	warnings []bundles.Fault
	// rest is called between bundles.
	rest func()
}

// step is one part of the path of a value: a field's name or, where that is empty, an index.
type step struct {
	name  string
	index int
}

// found is a fault whose place is not counted out yet.
type found struct {
	bundles.Fault
	at mark
}

func newDecoder(src source, name Name) *decoder {
	return &decoder{source: src, name: name, lenient: name != Native && name != access, tables: newTables(name), rest: func() {}}
}

// full reports whether no more faults are gathered, so that nothing more need be read.
func (d *decoder) full() bool { return len(d.faults) >= faultsMax }

func (d *decoder) fault(at mark, reason, fix string) { d.faultBelow("", at, reason, fix) }

// faultBelow reports a fault of a field of the value that the path leads to.
func (d *decoder) faultBelow(field string, at mark, reason, fix string) {
	if d.full() {
		return
	}
	path := d.pathText()
	if field != "" {
		path = strings.TrimPrefix(path+"."+field, ".")
	}
	d.faults = append(d.faults, found{bundles.Fault{Path: path, Reason: reason, Fix: fix}, at})
	if d.full() {
		d.faults = append(d.faults, found{bundles.Fault{Reason: "the rest of the file was not read: it has too many faults", Fix: "mend these and check again"}, at})
	}
}

func (d *decoder) warn(at mark, reason, fix string) {
	if len(d.warnings) < faultsMax {
		p := d.places([]mark{at})[0]
		d.warnings = append(d.warnings, bundles.Fault{Path: d.pathText(), Line: p.line, Column: p.column, Reason: reason, Fix: fix})
	}
}

// report returns the faults with their places.
func (d *decoder) report() bundles.Faults {
	slices.SortStableFunc(d.faults, func(a, b found) int { return int(min(max(a.at-b.at, -1), 1)) })
	marks := make([]mark, len(d.faults))
	for i := range d.faults {
		marks[i] = d.faults[i].at
	}
	faults := make(bundles.Faults, len(d.faults))
	for i, p := range d.places(marks) {
		faults[i] = d.faults[i].Fault
		faults[i].Line, faults[i].Column = p.line, p.column
	}
	return faults
}

// pathText spells the path: bundles[12].fee.steps[0].upTo.
func (d *decoder) pathText() string {
	var b strings.Builder
	for _, s := range d.path {
		if s.name == "" {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
	}
	return b.String()
}

// take checks the kind of the next value. Any other kind is a fault and is passed over.
func (d *decoder) take(want kind) (at mark, ok bool) {
	got, at := d.peek()
	if got == want {
		return at, true
	}
	fix := ""
	if got == text && (want == number || want == truth) {
		fix = "write it without quotes"
	}
	d.fault(at, fmt.Sprintf("is %s, not %s", got, want), fix)
	d.skip()
	return at, false
}

// elements calls each for every element of the next value, which must be a list of at most limit
// elements. Nulls in it are faults; files that are taken as they are lose them.
func (d *decoder) elements(limit int, each func()) {
	if _, ok := d.take(list); !ok {
		return
	}
	d.source.open()
	d.path = append(d.path, step{})
	for i := 0; d.element(); i++ {
		d.path[len(d.path)-1].index = i
		k, at := d.peek()
		if i == limit {
			d.fault(at, fmt.Sprintf("is one too many: the list may hold %d", limit), "split the file")
		}
		switch {
		case i >= limit || d.full() || k == null && d.lenient && d.name != wire:
			d.skip()
		case k == null:
			d.fault(at, "is null", "leave it out")
			d.skip()
		default:
			each()
		}
	}
	d.path = d.path[:len(d.path)-1]
}

// text takes a text. A number stands for its digits where the reader is lenient, and a YAML scalar
// without quotes for what is written.
func (d *decoder) text() (string, bool) {
	k, at := d.peek()
	switch {
	case k == text, k == plain, k == number && d.lenient:
		value, ok := d.scalar()
		if !ok {
			d.fault(at, "holds half a surrogate pair", "write whole characters")
		}
		return value, ok
	case k == number:
		literal, _ := d.scalar()
		d.fault(at, "is a number, not text", "put it in quotes: "+bundles.Excerpt(literal))
		return "", false
	}
	_, ok := d.take(text)
	return "", ok
}

// The advice for numbers that are not whole.
const (
	wholeCents  = "amounts are whole euro cents, as in 150 for 1.50 €"
	wholeNumber = "write a whole number"
)

// whole takes an integer, exactly: nothing is rounded.
func (d *decoder) whole(fix string) (int64, bool) {
	k, at := d.peek()
	if k != number && k != plain {
		_, ok := d.take(number)
		return 0, ok
	}
	literal, _ := d.scalar()
	switch value, err := strconv.ParseInt(literal, 10, 64); {
	case !wholeLiteral(literal):
		d.fault(at, bundles.Excerpt(literal)+" is no whole number", fix)
	case err != nil:
		d.fault(at, "is too large", "use at most 9223372036854775807")
	default:
		return value, true
	}
	return 0, false
}

// wholeLiteral reports whether the literal is an integer as JSON writes it: no sign but minus, no
// leading zero, nothing but digits.
func wholeLiteral(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if s == "" || len(s) > 1 && s[0] == '0' {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}

func (d *decoder) truth() (value, ok bool) {
	k, at := d.peek()
	if k != truth && k != plain {
		_, ok = d.take(truth)
		return false, ok
	}
	switch literal, _ := d.scalar(); literal {
	case "true":
		return true, true
	case "false":
		return false, true
	default:
		d.fault(at, bundles.Excerpt(literal)+" is neither true nor false", "write true or false")
		return false, false
	}
}

// date takes a civil date. A lenient reader also takes the two other ways in which Java services write
// one: an ISO instant, of which the date in Rome counts, and a list of year, month, day and more.
func (d *decoder) date() (engine.Date, bool) {
	k, at := d.peek()
	if k == list && d.lenient {
		return d.dateParts(at)
	}
	value, ok := d.text()
	if !ok {
		return 0, false
	}
	date, err := engine.ParseDate(value)
	if err != nil && d.lenient {
		date, err = dateOfInstant(value)
	}
	if err != nil {
		d.fault(at, bundles.Excerpt(value)+" is no date", "write year-month-day, as in 2026-11-21")
		return 0, false
	}
	return date, true
}

func (d *decoder) dateParts(at mark) (engine.Date, bool) {
	parts := make([]int64, 0, 7)
	before := len(d.faults)
	d.elements(7, func() {
		part, _ := d.whole(wholeNumber)
		parts = append(parts, part)
	})
	if len(d.faults) > before {
		return 0, false
	}
	if len(parts) >= 3 {
		date, err := engine.ParseDate(fmt.Sprintf("%04d-%02d-%02d", parts[0], parts[1], parts[2]))
		if err == nil {
			return date, true
		}
	}
	d.fault(at, "is a list that is no date", "write year-month-day, as in 2026-11-21")
	return 0, false
}

// table is the fields of one kind of object.
type table[T any] struct {
	fields []field[T]
	byName map[string]int
}

// field is one field of an object: how its value, which is not null, is taken.
type field[T any] struct {
	name string
	take func(*decoder, *T)
	// mandatory fields must be there and not null.
	mandatory bool
}

func newTable[T any](fields ...field[T]) *table[T] {
	t := &table[T]{fields: fields, byName: make(map[string]int, len(fields))}
	for i, f := range fields {
		t.byName[f.name] = i
	}
	return t
}

// takeObject takes an object by its table. A field that is null counts as absent.
func takeObject[T any](d *decoder, t *table[T], into *T) bool {
	at, ok := d.take(object)
	if !ok {
		return false
	}
	d.source.open()
	var seen, given uint64 // by index in the table
	for {
		name, place, more := d.source.field()
		if !more {
			break
		}
		i, known := t.byName[string(name)]
		switch {
		case d.full():
			d.skip()
		case !known:
			takeUnknown(d, t, string(name), place)
		case seen>>i&1 == 1:
			d.faultBelow(t.fields[i].name, place, "is given twice", "keep one of the two")
			d.skip()
		default:
			seen |= 1 << i
			if k, _ := d.peek(); k == null {
				d.skip()
				continue
			}
			given |= 1 << i
			d.path = append(d.path, step{name: t.fields[i].name})
			t.fields[i].take(d, into)
			d.path = d.path[:len(d.path)-1]
		}
	}
	for i, f := range t.fields {
		if f.mandatory && given>>i&1 == 0 {
			d.faultBelow(f.name, at, "is missing", "it is mandatory")
		}
	}
	return true
}

// takeUnknown passes over a field that the table does not have.
func takeUnknown[T any](d *decoder, t *table[T], name string, at mark) {
	if !d.lenient {
		names := make([]string, len(t.fields))
		for i, f := range t.fields {
			names[i] = f.name
		}
		fix := "leave it out"
		switch nearest := bundles.Nearest(name, names); {
		case slices.Contains(keptByCatalogue(), name):
			fix = "leave it out: the catalogue sets it"
		case nearest != "":
			fix = "the nearest field is " + nearest
		}
		d.faultBelow(fieldText(name), at, "is not a known field", fix)
	}
	d.skip()
}

// keptByCatalogue are the fields of the wire contract and of the store that no author sets.
func keptByCatalogue() []string {
	return []string{"insertedDate", "lastUpdatedDate", "revision", "languageVersion"}
}

// plainName is a field's name that a path may show as it is.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)

func fieldText(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return bundles.Excerpt(name)
}
