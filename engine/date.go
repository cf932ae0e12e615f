package engine

import (
	"fmt"
	"time"
	_ "time/tzdata" // the rules hold in Europe/Rome whatever zone data the machine has

	"gec/engine/condition"
)

// Date is a civil date in Europe/Rome written as a number, year×10 000 + month×100 + day (20261121),
// so that dates compare as integers. The zero Date stands for an open end.
type Date int32

// MakeDate returns the date of a year from 1 to 9999, month and day. Values outside the calendar are
// brought into it as [time.Date] does.
func MakeDate(year int, month time.Month, day int) Date {
	return dateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

func dateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date(y*10000 + int(m)*100 + d)
}

// ParseDate reads an ISO 8601 calendar date, "2026-11-21".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return 0, fmt.Errorf("%q is no date: write year-month-day, as in 2026-11-21", s)
	}
	return dateOf(t), nil
}

// Valid reports whether the date is one of the calendar, from year 1 to 9999. The open end is not.
func (d Date) Valid() bool {
	return d >= 10101 && d <= 99991231 && MakeDate(int(d)/10000, time.Month(d/100%100), int(d)%100) == d
}

// String returns the ISO form, "2026-11-21"; the open end is the empty string.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

// AddDays returns the date that many days later, or earlier where negative.
func (d Date) AddDays(days int) Date {
	return MakeDate(int(d/10000), time.Month(d/100%100), int(d%100)+days)
}

// Local is the civil time in Europe/Rome of an instant.
type Local struct {
	Date Date
	// Weekday is 1 for Monday to 7 for Sunday.
	Weekday int
	// Minute of the day by the wall clock, 0 to 1439.
	Minute int
}

// LocalAt returns the civil time of an instant in Europe/Rome, by the wall clock: across the two
// changes of the clock an hour may be missing or come twice (Q13).
func LocalAt(at time.Time) Local {
	t := at.In(rome)
	weekday := int(t.Weekday())
	if weekday == 0 {
		weekday = 7
	}
	return Local{Date: dateOf(t), Weekday: weekday, Minute: t.Hour()*60 + t.Minute()}
}

// rome is the zone of every civil date and hour of the domain (spec 1). The zone data is embedded,
// so that loading it cannot fail on a correct build.
var rome = mustRome()

func mustRome() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic(err) // unreachable with the embedded zone data
	}
	return zone
}

// facts returns the local time in the form that conditions see.
func (l Local) facts(date string) condition.Local {
	return condition.Local{
		Year: int(l.Date / 10000), Month: int(l.Date / 100 % 100), Day: int(l.Date % 100),
		Weekday: l.Weekday, Hour: l.Minute / 60, Minute: l.Minute % 60, Date: date,
	}
}
