package condition

import (
	"slices"
	"strings"
	"time"
)

// The constants that a program carries in place of its functions' literal arguments. They are
// shared by every goroutine that runs the program and never change.
type (
	// codePattern is category's: a whole bare code, or the beginning of one.
	codePattern struct {
		code   string
		prefix bool
	}
	// taxCode is ec's.
	taxCode string
	// span is time's, in minutes since midnight: from <= t < to, or past midnight.
	span struct{ from, to int }
	// admission is admits'.
	admission struct{ psp, channel, broker string }
	// codeList is carries': any of them.
	codeList []string
)

const (
	codeDigits  = 7 // entity type 2, macro-area 2, service 3
	codeLetters = 2
	codeLength  = codeDigits + codeLetters
	ecDigits    = 11
	dayMinutes  = 24 * 60
)

// prepareCategory reads a taxonomy code, bare or as published (Q5), or the beginning of one
// before a star.
func prepareCategory(arguments []string) (any, fault) {
	if len(arguments) != 1 {
		return nil, fault{reason: "category takes one code", fix: `write category("0102100SA")`}
	}
	code, prefix := strings.CutSuffix(arguments[0], "*")
	if bare, published := strings.CutPrefix(code, "9/"); published {
		code = strings.TrimSuffix(bare, "/")
	}
	if code == "" || !beginsCode(code) || !prefix && len(code) != codeLength {
		fix := `write 7 digits and 2 capital letters as in "0102100SA", or how they begin as in "01021*"`
		if upper := strings.ToUpper(code); upper != code && beginsCode(upper) {
			fix = "codes have capital letters: write " + quoted(strings.ToUpper(arguments[0]))
		} else if !prefix && code != "" && beginsCode(code) {
			fix = "write the whole code, or " + quoted(code+"*") + " for all codes that begin so"
		}
		return nil, fault{reason: quoted(arguments[0]) + " is no taxonomy code and no beginning of one", fix: fix}
	}
	return codePattern{code: code, prefix: prefix}, fault{}
}

// beginsCode reports whether some well-formed bare code begins with s.
func beginsCode(s string) bool {
	for i := range len(s) {
		digit, letter := isDigit(s[i]), 'A' <= s[i] && s[i] <= 'Z'
		if i < codeDigits && !digit || i >= codeDigits && !letter {
			return false
		}
	}
	return len(s) <= codeLength
}

func prepareEC(arguments []string) (any, fault) {
	if len(arguments) != 1 {
		return nil, fault{reason: "ec takes one tax code", fix: `write ec("77777777777")`}
	}
	code := arguments[0]
	for i := range len(code) {
		if !isDigit(code[i]) {
			code = ""
			break
		}
	}
	if len(code) != ecDigits {
		return nil, fault{reason: quoted(arguments[0]) + " is no tax code of an EC", fix: `write its 11 digits as in "77777777777"`}
	}
	return taxCode(code), fault{}
}

func prepareTime(arguments []string) (any, fault) {
	if len(arguments) != 2 {
		return nil, fault{reason: "time takes a start and an end", fix: `write time("08:00", "20:00")`}
	}
	from, ok := clockMinutes(arguments[0])
	if !ok || from == dayMinutes {
		return nil, fault{reason: quoted(arguments[0]) + " is no time of day", fix: `write hours and minutes from "00:00" to "23:59"`}
	}
	to, ok := clockMinutes(arguments[1])
	if !ok {
		return nil, fault{argument: 1, reason: quoted(arguments[1]) + " is no time of day", fix: `write hours and minutes from "00:00" to "24:00"`}
	}
	return span{from: from, to: to}, fault{}
}

// clockMinutes reads "HH:MM" up to "24:00" as minutes since midnight.
func clockMinutes(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' || !isDigit(s[0]) || !isDigit(s[1]) || !isDigit(s[3]) || !isDigit(s[4]) {
		return 0, false
	}
	hour, minute := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	at := hour*60 + minute
	return at, minute < 60 && at <= dayMinutes
}

func prepareAdmits(arguments []string) (any, fault) {
	if len(arguments) != 3 {
		return nil, fault{reason: "admits takes a PSP, a channel and a broker", fix: `write admits("PSP", "channel", "broker")`}
	}
	return admission{psp: arguments[0], channel: arguments[1], broker: arguments[2]}, fault{}
}

func prepareCarries(arguments []string) (any, fault) {
	if i := slices.Index(arguments, ""); i >= 0 {
		return nil, fault{argument: i, reason: "carries takes bare codes, not an empty text", fix: `write carries("0102100SA")`}
	}
	return codeList(slices.Clone(arguments)), fault{}
}

// isDate reports whether s is a day of the calendar written as `date` is, "2026-11-21".
func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
