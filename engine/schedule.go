package engine

import (
	"fmt"
	"strings"
)

// Schedule is the list of time bands in which a bundle is offered (Q13). A nil Schedule holds always;
// an empty one, which no check lets through, never.
type Schedule []TimeBand

// TimeBand is a span of the day, FromMinute <= t < ToMinute, on some days of the week, by the wall
// clock of Europe/Rome. A span whose end is not after its start runs past midnight and belongs to the
// day on which it starts.
type TimeBand struct {
	Days Days
	// FromMinute is a minute of the day, 0 to 1439; ToMinute 0 to 1440 (midnight at the end).
	FromMinute, ToMinute int
}

// Days is a set of days of the week: bit 1 is Monday, bit 7 Sunday.
type Days uint8

// EveryDay is the set of all seven days.
const EveryDay Days = 0xFE

// Has reports whether the day, 1 for Monday to 7 for Sunday, is in the set.
func (d Days) Has(weekday int) bool { return d>>weekday&1 == 1 }

// Holds reports whether the wall clock falls in one of the bands, or there are none.
func (s Schedule) Holds(l Local) bool {
	if s == nil {
		return true
	}
	for _, b := range s {
		if b.holds(l) {
			return true
		}
	}
	return false
}

func (b TimeBand) holds(l Local) bool {
	if b.FromMinute < b.ToMinute {
		return b.Days.Has(l.Weekday) && b.FromMinute <= l.Minute && l.Minute < b.ToMinute
	}
	yesterday := l.Weekday - 1
	if yesterday == 0 {
		yesterday = 7
	}
	return b.Days.Has(l.Weekday) && b.FromMinute <= l.Minute || b.Days.Has(yesterday) && l.Minute < b.ToMinute
}

// weekdayNames are the English short names, as written in bundles and in explanations.
var weekdayNames = [8]string{1: "MON", 2: "TUE", 3: "WED", 4: "THU", 5: "FRI", 6: "SAT", 7: "SUN"}

// WeekdayName returns MON to SUN for 1 to 7.
func WeekdayName(weekday int) string { return weekdayNames[weekday] }

// ParseWeekday reads MON to SUN, in any case, as 1 to 7.
func ParseWeekday(s string) (int, error) {
	for day := 1; day <= 7; day++ {
		if strings.EqualFold(s, weekdayNames[day]) {
			return day, nil
		}
	}
	return 0, fmt.Errorf("%q is no day of the week: use MON, TUE, WED, THU, FRI, SAT or SUN", s)
}

// ParseMinute reads a time of the day, "08:30" to "24:00", as minutes after midnight.
func ParseMinute(s string) (int, error) {
	if len(s) == 5 && s[2] == ':' && digits(s[:2]) && digits(s[3:]) {
		minute := (int(s[0]-'0')*10+int(s[1]-'0'))*60 + int(s[3]-'0')*10 + int(s[4]-'0')
		if s[3] < '6' && minute <= 24*60 {
			return minute, nil
		}
	}
	return 0, fmt.Errorf("%q is no time of the day: write hours and minutes, as in 08:30, up to 24:00", s)
}

// FormatMinute writes minutes after midnight as "08:30".
func FormatMinute(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// String returns the readable form, "MON,TUE 08:00-20:00; SAT 22:00-06:00".
func (s Schedule) String() string {
	bands := make([]string, len(s))
	for i, b := range s {
		var days []string
		for day := 1; day <= 7; day++ {
			if b.Days.Has(day) {
				days = append(days, weekdayNames[day])
			}
		}
		bands[i] = strings.Join(days, ",") + " " + FormatMinute(b.FromMinute) + "-" + FormatMinute(b.ToMinute)
	}
	return strings.Join(bands, "; ")
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
