package bundles

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fault is one thing wrong with a document: where, what, and what would be right (A2).
type Fault struct {
	// Path of the field below the document, such as "bundles[12].maxPaymentAmount"; empty for
	// the document as a whole.
	Path string
	// Line and Column, both from 1, say where in the text the value at fault begins; 0 where
	// there is no text or the place is unknown. Columns count characters.
	Line, Column int
	// Reason says what is wrong; it reads on from the path.
	Reason string
	// Fix says what would be right; empty where Reason says it all.
	Fix string
}

// Error returns the fault in one line: "12:7: bundles[3].name: is missing; give the bundle a name".
func (f Fault) Error() string {
	var line strings.Builder
	if f.Line > 0 {
		line.WriteString(strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column) + ": ")
	}
	if f.Path != "" {
		line.WriteString(f.Path + ": ")
	}
	line.WriteString(f.Reason)
	if f.Fix != "" {
		line.WriteString("; " + f.Fix)
	}
	return line.String()
}

// compare orders faults as a reader meets them: by place in the text, then by path with indexes as
// numbers, so that bundles[2] comes before bundles[12].
func (f Fault) compare(other Fault) int {
	return cmp.Or(
		cmp.Compare(f.Line, other.Line),
		cmp.Compare(f.Column, other.Column),
		comparePaths(f.Path, other.Path),
		cmp.Compare(f.Reason, other.Reason),
		cmp.Compare(f.Fix, other.Fix),
	)
}

// comparePaths compares runs of digits as numbers and everything else byte by byte.
func comparePaths(a, b string) int {
	for a != "" && b != "" {
		aDigits, bDigits := leadingDigits(a), leadingDigits(b)
		if aDigits > 0 && bDigits > 0 {
			if c := cmp.Or(cmp.Compare(aDigits, bDigits), cmp.Compare(a[:aDigits], b[:bDigits])); c != 0 {
				return c
			}
			a, b = a[aDigits:], b[bDigits:]
			continue
		}
		if c := cmp.Compare(a[0], b[0]); c != 0 {
			return c
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// Faults are all the faults of a document, the error of a refused one. An error of this type is never
// empty; use [Faults.Err].
type Faults []Fault

// faultsShown is how many faults Error prints, so that a log line stays bounded however bad a
// document is.
const faultsShown = 20

// Error returns one fault a line, at most 20 of them and then how many more there are.
func (f Faults) Error() string {
	shown := f[:min(len(f), faultsShown)]
	lines := make([]string, len(shown), len(shown)+1)
	for i, fault := range shown {
		lines[i] = fault.Error()
	}
	if rest := len(f) - len(shown); rest > 0 {
		lines = append(lines, fmt.Sprintf("and %d more faults", rest))
	}
	return strings.Join(lines, "\n")
}

// Err returns f sorted as an error, nil when there is no fault.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	f.Sort()
	return f
}

// Sort orders the faults by place in the text, then by path.
func (f Faults) Sort() { slices.SortStableFunc(f, Fault.compare) }

// Under returns the faults with prefix put before each path: "name" under "bundles[3]" becomes
// "bundles[3].name". It changes f.
func (f Faults) Under(prefix string) Faults {
	for i := range f {
		switch {
		case f[i].Path == "":
			f[i].Path = prefix
		case f[i].Path[0] == '[':
			f[i].Path = prefix + f[i].Path
		default:
			f[i].Path = prefix + "." + f[i].Path
		}
	}
	return f
}

// excerptRunesMax bounds how much of a foreign value a message repeats.
const excerptRunesMax = 40

// Excerpt returns a foreign text in quotes for a message: escaped, so that it cannot forge lines of a
// log, and cut after 40 characters.
func Excerpt(text string) string {
	runes := 0
	for at := range text {
		if runes == excerptRunesMax {
			return strconv.Quote(text[:at]) + "…"
		}
		runes++
	}
	return strconv.Quote(text)
}

// Nearest returns the known name that a person most likely meant, ignoring case: the one with the
// fewest letters to change, at most a third of them. It returns the empty string when none is near.
func Nearest(name string, known []string) string {
	if utf8.RuneCountInString(name) > 2*excerptRunesMax {
		return ""
	}
	best, bestDistance := "", max(1, len(name)/3)+1
	for _, candidate := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate), bestDistance); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the Damerau-Levenshtein distance in bytes (insert, delete, change, swap neighbours), or
// at least limit where it would reach that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
