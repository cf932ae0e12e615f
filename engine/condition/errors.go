package condition

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrFailed is wrapped by every error of Evaluator.Holds: the condition failed while running, so
// its bundle does not apply (Q14). Test for it with errors.Is.
var ErrFailed = errors.New("condition failed while running")

// quotedRunesMax is how much of an author's text an Error repeats: enough to recognise it, too
// little to flood a report with a hostile source.
const quotedRunesMax = 40

// Error says why a condition was refused when it was authored (E1–E3).
type Error struct {
	// Column is where, counted in runes from 1 at the start of the source, line ends included.
	Column int
	// Reason is what is wrong. One line, never empty.
	Reason string
	// Fix is what would be right; for an unknown name it gives the nearest one. One line, never
	// empty.
	Fix string
}

// Error gives the column, the reason and the fix on one line.
func (e *Error) Error() string {
	return fmt.Sprintf("column %d: %s; %s", e.Column, e.Reason, e.Fix)
}

// quoted repeats a piece of a source inside a message: on one line, printable, cut.
func quoted(piece string) string {
	runes := 0
	for at := range piece {
		if runes == quotedRunesMax {
			return strconv.Quote(piece[:at]) + "…"
		}
		runes++
	}
	return strconv.Quote(piece)
}

// oneLine makes a message of the expr library fit an Error's Reason.
func oneLine(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if utf8.RuneCountInString(message) > 4*quotedRunesMax {
		message = string([]rune(message)[:4*quotedRunesMax]) + "…"
	}
	return message
}
