package condition

import (
	"slices"
	"strings"
)

// kind is the type of an expression or of a name.
type kind uint8

const (
	boolean kind = iota + 1
	integer
	text
	function
)

// String names the kind as messages do.
func (k kind) String() string {
	return [...]string{"nothing", "a condition", "a whole number", "a text", "a function"}[k]
}

// symbol is one name of the language.
type symbol struct {
	name string
	kind kind
	// canonical names are for generated programs only; authors do not see them (E1).
	canonical bool
	// usage shows a function's call in messages.
	usage string
	// prepare checks a function's literal arguments and turns them into the constant that its
	// run-time part is called with; nil for a function without arguments. Doing this once, when
	// the condition is compiled, keeps parsing out of every quote.
	prepare func(arguments []string) (constant any, refusal fault)
}

// fault is what prepare finds wrong with an argument; an empty reason is none.
type fault struct {
	argument    int // index of the argument; 0 if there is none
	reason, fix string
}

// symbols is the whole vocabulary (E1). It is only ever read.
var symbols = [...]symbol{
	{name: "amount", kind: integer},
	{name: "notices", kind: integer},
	{name: "transfers", kind: integer},
	{name: "touchpoint", kind: text},
	{name: "paymentType", kind: text},
	{name: "ecs", kind: integer},
	{name: "categories", kind: integer},
	{name: "digitalStamps", kind: integer},
	{name: "onUs", kind: boolean},
	{name: "date", kind: text},
	{name: "weekday", kind: integer},
	{name: "hour", kind: integer},
	{name: "minute", kind: integer},
	{name: "month", kind: integer},
	{name: "day", kind: integer},
	{name: "category", kind: function, usage: `category("0102100SA") or category("01021*")`, prepare: prepareCategory},
	{name: "ec", kind: function, usage: `ec("77777777777")`, prepare: prepareEC},
	{name: "time", kind: function, usage: `time("08:00", "20:00")`, prepare: prepareTime},
	{name: "weekend", kind: function, usage: `weekend()`},
	{name: "holiday", kind: function, usage: `holiday()`},

	{name: "taxonomyAsked", kind: boolean, canonical: true},
	{name: "issuer", kind: text, canonical: true},
	{name: "amex", kind: boolean, canonical: true},
	{name: "subscribed", kind: boolean, canonical: true},
	{name: "admits", kind: function, canonical: true, usage: `admits("PSP", "channel", "broker")`, prepare: prepareAdmits},
	{name: "carries", kind: function, canonical: true, usage: `carries("0102100SA")`, prepare: prepareCarries},
}

// keywords are the words of the language that are no names; they take part in the search for the
// nearest one, so that AND finds and.
var keywords = [...]string{"and", "or", "not", "in", "startsWith", "endsWith", "true", "false"}

// lookup finds a name; the canonical ones only for a generated program.
func lookup(name string, canonical bool) (symbol, bool) {
	for i := range symbols {
		if symbols[i].name == name {
			return symbols[i], canonical || !symbols[i].canonical
		}
	}
	return symbol{}, false
}

// unknownName words the refusal of a word that is not in the language, with the nearest that is.
func unknownName(word string, called, canonical bool) (reason, fix string) {
	reason = quoted(word) + " is not a name that conditions know"
	if called {
		return reason, "the nearest function is " + nearestSymbol(word, canonical, true).usage + ", of " + functionNames(canonical)
	}
	nearest := nearestSymbol(word, canonical, false).name
	distance := editDistance(word, nearest)
	// Keywords are short, and so near to much; one is meant only if it is all but written.
	for _, keyword := range keywords {
		if d := editDistance(word, keyword); d <= 1 && d < distance {
			nearest, distance = keyword, d
		}
	}
	return reason, "the nearest name is " + nearest + "; if it is a text, put it in quotes"
}

// functionNames lists the functions for messages.
func functionNames(canonical bool) string {
	var names []string
	for i := range symbols {
		if symbols[i].kind == function && (canonical || !symbols[i].canonical) {
			names = append(names, symbols[i].name)
		}
	}
	return strings.Join(names, ", ")
}

// nearestSymbol finds the name with the fewest edits; ties go to the first in the table.
func nearestSymbol(word string, canonical, functions bool) symbol {
	var nearest symbol
	best := -1
	for i := range symbols {
		candidate := symbols[i]
		if candidate.canonical && !canonical || functions != (candidate.kind == function) {
			continue
		}
		if d := editDistance(word, candidate.name); best < 0 || d < best {
			nearest, best = candidate, d
		}
	}
	return nearest
}

// editDistance counts the letters that must be added or dropped to make one word of the other,
// over bytes and without regard to ASCII case; a changed letter is one of each, so that week is
// nearer to weekday than to ecs. Words are compared up to a length that no name reaches.
func editDistance(a, b string) int {
	const lengthMax = 32
	a, b = a[:min(len(a), lengthMax)], b[:min(len(b), lengthMax)]
	var row [lengthMax + 1]int
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if lower(a[i]) != lower(b[j]) {
				changed += 2
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isKeyword reports whether word is one of the words that are no names.
func isKeyword(word string) bool {
	return slices.Contains(keywords[:], word)
}
