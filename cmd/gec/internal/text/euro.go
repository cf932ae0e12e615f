package text

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Euro writes an amount of cents in euro with two decimals, "0.28" or "-12.00".
func Euro(cents int64) string {
	sign, whole := "", uint64(cents)
	if cents < 0 {
		sign, whole = "-", -whole
	}
	return fmt.Sprintf("%s%d.%02d", sign, whole/100, whole%100)
}

// ParseEuro reads an amount of euro, "25", "25.5" or "25.00", as cents, exactly. The decimal mark is a
// point or a comma, and there is no mark for thousands, so that an amount has one reading only. The
// amount is 0 or more; the error says what would be right.
func ParseEuro(s string) (cents int64, err error) {
	whole, decimals, marked := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	if len(decimals) > 2 || marked && decimals == "" || !digits(decimals) || !digits(whole) || whole == "" {
		return 0, fmt.Errorf("%q is no amount in euro: write 25 or 25.00, with up to two decimals and no mark for thousands", s)
	}
	cents, err = strconv.ParseInt(whole+(decimals + "00")[:2], 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q euro are more than any payment", s)
	}
	return cents, err
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
