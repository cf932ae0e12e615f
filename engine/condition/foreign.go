package condition

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// foreignWord explains the words that mean something in expr but not here.
func foreignWord(word string) (reason, fix string, known bool) {
	switch word {
	case "matches":
		return "there are no regular expressions", "use ==, in, startsWith or endsWith", true
	case "contains":
		return "contains is not in the language", "use ==, in, startsWith or endsWith", true
	case "let":
		return "there are no variables", "write the value where it is used", true
	case "if", "else":
		return "there are no if blocks", "write question ? yes : no", true
	case "nil", "null":
		return "no value is ever missing", "compare with a number or a text", true
	case "$env":
		return "the environment is not a value", "write the name itself, such as amount", true
	}
	return "", "", false
}

// foreignSigns are the signs that mean something in expr, or that people take for ones that do,
// by how they begin; the longest come first.
var foreignSigns = [...]struct{ sign, reason, fix string }{
	{"//", "there are no comments", "describe the bundle in its description"},
	{"/*", "there are no comments", "describe the bundle in its description"},
	{"**", "conditions do not calculate", "compare with a number worked out beforehand"},
	{"??", "no value is ever missing, so that ?? has no use", "write the name alone"},
	{"?.", "there are no members", "write the name alone"},
	{"...", "a range has two dots", "write 1..5"},
	{"::", ":: is not in the language", "write question ? yes : no"},
	{"<>", "<> is not in the language", "write != for different"},
	{".", "there are no members and no decimal fractions", "write the name alone, and amounts in whole cents"},
	{"=", "= alone compares nothing", "write == for equal"},
	{"&", "& alone is not in the language", "write && for and"},
	{"|", "there are no pipes", "write || for or"},
	{"+", "conditions do not calculate", "compare with a number worked out beforehand"},
	{"-", "conditions do not calculate, and no value is below zero", "compare with a number from 0 upwards"},
	{"*", "conditions do not calculate", "compare with a number worked out beforehand"},
	{"/", "conditions do not calculate", "compare with a number worked out beforehand"},
	{"%", "conditions do not calculate", "compare with a number worked out beforehand"},
	{"^", "conditions do not calculate", "compare with a number worked out beforehand"},
	{";", "a condition is one expression", "join its parts with && or ||"},
	{"#", "there are no loops and no comments", "use category or ec to ask what the payment has"},
	{"{", "there are no blocks, maps or closures", "use ( ) for grouping and [ ] for a list"},
	{"}", "there are no blocks, maps or closures", "use ( ) for grouping and [ ] for a list"},
	{"`", "` does not begin a text", `write "text"`},
	{"\\", "\\ stands only in a text", "take it out"},
	{"≤", "≤ is not in the language", "write <="},
	{"≥", "≥ is not in the language", "write >="},
	{"≠", "≠ is not in the language", "write !="},
	{"…", "… is not in the language", "write two dots: 1..5"},
	{"€", "€ is not in the language", "amounts are whole euro cents: write 5000 for 50.00 €"},
	{"@", "@ is not in the language", "write the name alone"},
	{"~", "~ is not in the language", "use ! or not"},
}

// refuseWord explains a word that the language does not have.
func (s *scanner) refuseWord() *Error {
	rest := s.source[s.at:]
	for _, foreign := range foreignSigns {
		if strings.HasPrefix(rest, foreign.sign) {
			return s.refuse(s.at, foreign.reason, foreign.fix)
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	switch {
	case strings.ContainsRune("“”„«»‘’‚´", r):
		return s.refuse(s.at, fmt.Sprintf("%q (%U) does not begin a text", r, r), `write plain quotes: "text"`)
	case unicode.IsDigit(r):
		return s.refuse(s.at, fmt.Sprintf("%q (%U) is no digit of a number, even if it looks like one", r, r), "retype the number with the plain digits 0 to 9")
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return s.refuse(s.at, fmt.Sprintf("%q (%U) is no letter of a name, even if it looks like one", r, r), "retype the name with the plain letters a to z")
	case unicode.IsPrint(r):
		return s.refuse(s.at, fmt.Sprintf("%q (%U) is not in the language", r, r), "take it out, or put it in quotes if it belongs to a text")
	}
	return s.refuse(s.at, fmt.Sprintf("%U is a control or invisible character", r), "take it out")
}
