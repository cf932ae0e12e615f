package simulator

import (
	"strings"
)

// amountCentsMax is the largest amount that the page asks for, 999 999 999.99 €, the largest of the
// published list.
const amountCentsMax = 99_999_999_999

// parseAmount reads an amount in euro as people write it: "1.234,56", "1234.56", "1 234,56", "1'234.56",
// "12", "€ 12,5". It reports whether it is one above 0, up to amountCentsMax.
//
// The last of the two separators in use is the decimal one. A single separator followed by exactly three
// digits separates thousands, since no amount has three decimals: "1.234" is 1234 €.
func parseAmount(text string) (cents int64, ok bool) {
	text = strings.TrimSpace(strings.NewReplacer("€", "", "EUR", "", "eur", "").Replace(text))
	text = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "'", "", "’", "").Replace(text)
	whole, decimals, ok := splitAmount(text)
	if !ok || len(whole) > 12 || len(decimals) > 2 || whole+decimals == "" {
		return 0, false
	}
	for _, digit := range whole + (decimals + "00")[:2] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		cents = cents*10 + int64(digit-'0')
	}
	return cents, cents > 0 && cents <= amountCentsMax
}

// splitAmount cuts an amount at its decimal separator and takes the separators of thousands out.
func splitAmount(text string) (whole, decimals string, ok bool) {
	last := strings.LastIndexAny(text, ".,")
	if last < 0 {
		return text, "", true
	}
	separator := text[last : last+1]
	before, after := text[:last], text[last+1:]
	other := "."
	if separator == "." {
		other = ","
	}
	switch {
	case strings.Contains(before, separator), len(after) == 3 && !strings.Contains(before, other) && before != "":
		whole, ok = joinThousands(text, separator) // "1.234.567", "1.234"
		return whole, "", ok
	case after == "":
		return "", "", false
	case strings.Contains(before, other):
		whole, ok = joinThousands(before, other)
		return whole, after, ok
	}
	return before, after, true
}

// joinThousands takes the separators out of a whole number; ok is false unless they stand before every
// group of three digits.
func joinThousands(text, separator string) (whole string, ok bool) {
	groups := strings.Split(text, separator)
	for i, group := range groups {
		if i == 0 && (group == "" || len(group) > 3) || i > 0 && len(group) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}
