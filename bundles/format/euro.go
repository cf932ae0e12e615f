package format

import (
	"strconv"
	"strings"
)

// parseEuro reads an amount in euro as cents, exactly, from its decimal digits: "1.33" is 133, "300.0"
// 30000. More than two decimals are refused unless the rest are zeros. The reason is empty if it is one.
func parseEuro(literal string) (cents int64, reason string) {
	whole, fraction, _ := strings.Cut(literal, ".")
	if strings.ContainsAny(literal, "eE") {
		return 0, "is written with an exponent"
	}
	if strings.HasPrefix(whole, "-") {
		return 0, "is negative"
	}
	if !wholeLiteral(whole) || strings.Trim(fraction, "0123456789") != "" || strings.HasSuffix(literal, ".") {
		return 0, "is no amount"
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > 2 {
		return 0, "has fractions of a cent"
	}
	cents, err := strconv.ParseInt(whole+(fraction + "00")[:2], 10, 64)
	if err != nil {
		return 0, "is too large"
	}
	return cents, ""
}

// formatEuro writes cents, 0 or more, in euro as the published list does: with a decimal point and no
// more digits than it takes, "1.33", "0.5", "300.0".
func formatEuro(cents int64) string {
	const perEuro = 100
	fraction := strconv.FormatInt(perEuro+cents%perEuro, 10)[1:]
	if fraction[1] == '0' {
		fraction = fraction[:1]
	}
	return strconv.FormatInt(cents/perEuro, 10) + "." + fraction
}
