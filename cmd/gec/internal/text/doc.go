// Package text turns what the command knows into what a person reads in a terminal, and back: amounts
// in euro and tables that fit the window.
//
// It writes nothing that moves the cursor or the colours of a terminal, whatever names a catalogue
// has: control characters of a cell are shown as '?'.
//
// Where to start: [Euro] and [ParseEuro], [Table].
package text
