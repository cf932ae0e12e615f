package condition

// sanFrancescoYear is the first in which 4 October is a holiday again (law 151 of 2025).
const sanFrancescoYear = 2026

// isHoliday reports whether a day is a national public holiday of Italy (law 260 of 1949 as
// amended): the fixed ones, Easter Sunday and Easter Monday. Feasts of a town's patron are not.
func isHoliday(year, month, day int) bool {
	switch month*100 + day {
	case 101, 106, 425, 501, 602, 815, 1101, 1208, 1225, 1226:
		return true
	case 1004:
		return year >= sanFrancescoYear
	}
	if month != 3 && month != 4 {
		return false
	}
	// Easter falls between 22 March and 25 April, so that days may be counted from 1 March.
	since := day
	if month == 4 {
		since += 31
	}
	easter := easterSinceMarch(year)
	return since == easter || since == easter+1
}

// easterSinceMarch gives Easter Sunday of a Gregorian year as a day of March, 32 being 1 April
// (the anonymous algorithm printed by Meeus, Astronomical Algorithms, chapter 8).
func easterSinceMarch(year int) int {
	golden := year % 19
	century, yearOfCentury := year/100, year%100
	correction := (century - (century+8)/25 + 1) / 3
	epact := (19*golden + century - century/4 - correction + 15) % 30
	weekday := (32 + 2*(century%4) + 2*(yearOfCentury/4) - epact - yearOfCentury%4) % 7
	late := (golden + 11*epact + 22*weekday) / 451
	return epact + weekday - 7*late + 22
}
