package engine_test

import (
	"fmt"
	"testing"
	"time"

	"gec/engine"
)

// Q12, Q13 and E1 at the moments when the civil time of Europe/Rome turns: both changes of the clock,
// midnight, the leap day, the year. Goal 13 of spec 7.

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// shownAt asks both paths whether the one bundle of a catalogue is shown at an instant, written in
// several zones: the zone of the instant must not matter.
func shownAt(t *testing.T, s *engine.Snapshot, at time.Time) bool {
	t.Helper()
	shown := -1
	for _, zone := range []*time.Location{time.UTC, rome(), time.FixedZone("far east", 14*3600), time.FixedZone("far west", -12*3600)} {
		p := plainPayment(5_000)
		p.At = at.In(zone)
		a, err := engine.NewQuoter().Quotes(s, p, everything)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := engine.Plain(s, p, everything)
		if err != nil {
			t.Fatal(err)
		}
		if text(a) != text(plain) || shown >= 0 && shown != len(a.Quotes) {
			t.Fatalf("at %s in %s: indexed %d rows, plain %d, before %d", at, zone, len(a.Quotes), len(plain.Quotes), shown)
		}
		shown = len(a.Quotes)
	}
	return shown == 1
}

// spell is one bundle with one condition in time, and the instants at which it holds and does not.
type spell struct {
	name     string
	change   func(*engine.Bundle)
	on, off  []string
	sameWhen string // a condition (E1) that says the same
}

func scheduled(days engine.Days, from, to string) func(*engine.Bundle) {
	return func(b *engine.Bundle) {
		start, err := engine.ParseMinute(from)
		if err != nil {
			panic(err)
		}
		end, err := engine.ParseMinute(to)
		if err != nil {
			panic(err)
		}
		b.Schedule = engine.Schedule{{Days: days, FromMinute: start, ToMinute: end}}
	}
}

func valid(from, to engine.Date) func(*engine.Bundle) {
	return func(b *engine.Bundle) { b.Validity = engine.Period{From: from, To: to} }
}

const (
	sunday   = engine.Days(1 << 7)
	saturday = engine.Days(1 << 6)
	friday   = engine.Days(1 << 5)
)

var spells = []spell{
	// On 29 March 2026 the clock goes from 02:00 CET to 03:00 CEST, at 01:00 UTC.
	{
		name: "spring, the hour that is missing", change: scheduled(engine.EveryDay, "02:00", "03:00"),
		on:       []string{"2026-03-28T01:00:00Z", "2026-03-28T01:59:59Z", "2026-03-30T00:00:00Z", "2026-03-30T00:59:59Z"},
		off:      []string{"2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"},
		sameWhen: `time("02:00", "03:00")`,
	},
	{
		name: "spring, up to the missing hour", change: scheduled(sunday, "01:00", "02:30"),
		on:       []string{"2026-03-29T00:00:00Z", "2026-03-29T00:59:59Z"},
		off:      []string{"2026-03-28T23:59:59Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
		sameWhen: `weekday == 7 and time("01:00", "02:30")`,
	},
	{
		name: "spring, from within the missing hour", change: scheduled(sunday, "02:30", "03:30"),
		on:       []string{"2026-03-29T01:00:00Z", "2026-03-29T01:29:59Z"},
		off:      []string{"2026-03-29T00:59:59Z", "2026-03-29T01:30:00Z"},
		sameWhen: `weekday == 7 and time("02:30", "03:30")`,
	},
	{
		name: "spring, a night across the change", change: scheduled(saturday, "22:00", "04:00"),
		on:  []string{"2026-03-28T21:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:59:59Z"},
		off: []string{"2026-03-28T20:59:59Z", "2026-03-29T02:00:00Z", "2026-03-29T20:30:00Z"},
	},
	// On 25 October 2026 the clock goes from 03:00 CEST back to 02:00 CET, at 01:00 UTC.
	{
		name: "autumn, the hour that comes twice", change: scheduled(sunday, "02:00", "03:00"),
		on:       []string{"2026-10-25T00:00:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:00:00Z", "2026-10-25T01:59:59Z"},
		off:      []string{"2026-10-24T23:59:59Z", "2026-10-25T02:00:00Z"},
		sameWhen: `weekday == 7 and hour == 2`,
	},
	{
		name: "autumn, half of the hour that comes twice", change: scheduled(engine.EveryDay, "02:15", "02:45"),
		on:       []string{"2026-10-25T00:15:00Z", "2026-10-25T00:44:59Z", "2026-10-25T01:15:00Z", "2026-10-25T01:44:59Z"},
		off:      []string{"2026-10-25T00:14:59Z", "2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:14:59Z", "2026-10-25T01:45:00Z"},
		sameWhen: `hour == 2 and minute in 15..44`,
	},
	{
		name: "autumn, a night across the change", change: scheduled(saturday, "23:00", "02:30"),
		on:  []string{"2026-10-24T21:00:00Z", "2026-10-25T00:29:59Z", "2026-10-25T01:00:00Z", "2026-10-25T01:29:59Z"},
		off: []string{"2026-10-24T20:59:59Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T22:30:00Z"},
	},
	// Midnight in Rome, which is 23:00 UTC in winter and 22:00 in summer.
	{
		name: "a whole day in winter", change: valid(20261121, 20261121),
		on:       []string{"2026-11-20T23:00:00Z", "2026-11-21T00:00:00Z", "2026-11-21T22:59:59Z", "2026-11-21T22:59:59.999999999Z"},
		off:      []string{"2026-11-20T22:59:59Z", "2026-11-20T22:59:59.999999999Z", "2026-11-21T23:00:00Z"},
		sameWhen: `date == "2026-11-21"`,
	},
	{
		name: "a whole day in summer", change: valid(20260715, 20260715),
		on:       []string{"2026-07-14T22:00:00Z", "2026-07-15T21:59:59Z"},
		off:      []string{"2026-07-14T21:59:59Z", "2026-07-15T22:00:00Z"},
		sameWhen: `month == 7 and day == 15`,
	},
	{
		name: "the day of the change in spring, of 23 hours", change: valid(20260329, 20260329),
		on:       []string{"2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"},
		off:      []string{"2026-03-28T22:59:59Z", "2026-03-29T22:00:00Z"},
		sameWhen: `date in ["2026-03-29"]`,
	},
	{
		name: "the day of the change in autumn, of 25 hours", change: valid(20261025, 20261025),
		on:       []string{"2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"},
		off:      []string{"2026-10-24T21:59:59Z", "2026-10-25T23:00:00Z"},
		sameWhen: `date >= "2026-10-25" and date <= "2026-10-25"`,
	},
	{
		name: "a day, midnight to 24:00", change: scheduled(friday, "00:00", "24:00"),
		on:       []string{"2026-11-19T23:00:00Z", "2026-11-20T22:59:59Z"},
		off:      []string{"2026-11-19T22:59:59Z", "2026-11-20T23:00:00Z"},
		sameWhen: `weekday == 5`,
	},
	{
		name: "a day, midnight to midnight", change: scheduled(friday, "00:00", "00:00"),
		on:  []string{"2026-11-19T23:00:00Z", "2026-11-20T22:59:59Z"},
		off: []string{"2026-11-19T22:59:59Z", "2026-11-20T23:00:00Z"},
	},
	{
		name: "an end that is the start, a day round", change: scheduled(friday, "12:00", "12:00"),
		on:  []string{"2026-11-20T11:00:00Z", "2026-11-20T22:59:59Z", "2026-11-20T23:00:00Z", "2026-11-21T10:59:59Z"},
		off: []string{"2026-11-20T10:59:59Z", "2026-11-21T11:00:00Z"},
	},
	{
		name: "Sunday night into Monday", change: scheduled(sunday, "23:30", "00:30"),
		on:  []string{"2026-11-22T22:30:00Z", "2026-11-22T23:29:59Z"},
		off: []string{"2026-11-22T22:29:59Z", "2026-11-22T23:30:00Z", "2026-11-21T23:15:00Z", "2026-11-23T22:30:00Z"},
	},
	// The leap day.
	{
		name: "29 February", change: valid(20280229, 20280229),
		on:       []string{"2028-02-28T23:00:00Z", "2028-02-29T22:59:59Z"},
		off:      []string{"2028-02-28T22:59:59Z", "2028-02-29T23:00:00Z"},
		sameWhen: `month == 2 and day == 29`,
	},
	{
		name: "to the end of a short February", change: valid(20270201, 20270228),
		on:       []string{"2027-01-31T23:00:00Z", "2027-02-28T22:59:59Z"},
		off:      []string{"2027-01-31T22:59:59Z", "2027-02-28T23:00:00Z"},
		sameWhen: `date >= "2027-01-01" and month == 2`,
	},
	{
		name: "Tuesday 29 February by the hour", change: scheduled(1<<2, "08:00", "20:00"),
		on:       []string{"2028-02-29T07:00:00Z", "2028-02-29T18:59:59Z"},
		off:      []string{"2028-02-29T06:59:59Z", "2028-02-29T19:00:00Z", "2028-03-01T07:00:00Z"},
		sameWhen: `weekday == 2 and time("08:00", "20:00")`,
	},
	// The year.
	{
		name: "from New Year", change: valid(20270101, 0),
		on:       []string{"2026-12-31T23:00:00Z", "2099-12-31T22:59:59Z"},
		off:      []string{"2026-12-31T22:59:59Z", "2020-01-01T00:00:00Z"},
		sameWhen: `date >= "2027-01-01"`,
	},
	{
		name: "to New Year's Eve", change: valid(0, 20261231),
		on:       []string{"1999-12-31T23:00:00Z", "2026-12-31T22:59:59Z"},
		off:      []string{"2026-12-31T23:00:00Z"},
		sameWhen: `date <= "2026-12-31"`,
	},
}

// TestQ12Q13CivilTimeTurns holds every spell on its instants, by validity or schedule and by condition.
func TestQ12Q13CivilTimeTurns(t *testing.T) {
	for _, c := range spells {
		t.Run(c.name, func(t *testing.T) {
			catalogues := map[string]*engine.Snapshot{"as it is": oneBundle(c.change).snapshot(t)}
			if c.sameWhen != "" {
				catalogues[c.sameWhen] = oneBundle(func(b *engine.Bundle) { b.When = c.sameWhen }).snapshot(t)
			}
			for how, s := range catalogues {
				for _, at := range c.on {
					if !shownAt(t, s, instant(t, at)) {
						t.Errorf("%s: not shown at %s", how, at)
					}
				}
				for _, at := range c.off {
					if shownAt(t, s, instant(t, at)) {
						t.Errorf("%s: shown at %s", how, at)
					}
				}
			}
		})
	}
}

// TestQ12SubscriptionsHaveDatesOfTheirOwn asks a PUBLIC bundle on the days around its subscription's, and
// a GLOBAL one for its contribution.
func TestQ12SubscriptionsHaveDatesOfTheirOwn(t *testing.T) {
	w := oneBundle(func(b *engine.Bundle) { b.Type = engine.Public })
	w.bundles = append(w.bundles, plainBundle("b2", "PSP2"))
	w.subscriptions = map[string][]engine.Subscription{}
	for _, id := range []string{"b1", "b2"} {
		w.subscriptions[id] = []engine.Subscription{{
			ID: "s" + id, BundleID: id, CreditorInstitution: ecPool[0], Validity: engine.Period{From: 20260329, To: 20261025},
			Attributes: []engine.Attribute{{MaxPaymentAmountCents: 40}},
		}}
	}
	s := w.snapshot(t)
	for at, valid := range map[string]bool{
		"2026-03-28T22:59:59Z": false, "2026-03-28T23:00:00Z": true, "2026-03-29T21:59:59Z": true,
		"2026-10-25T22:59:59Z": true, "2026-10-25T23:00:00Z": false,
	} {
		p := plainPayment(5_000)
		p.At = instant(t, at)
		a, err := engine.NewQuoter().Quotes(s, p, everything)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for i := range a.Quotes {
			got[a.Quotes[i].Bundle.ID] = a.Quotes[i].NetCents
		}
		want := map[string]int64{"b2": 100}
		if valid {
			want = map[string]int64{"b1": 60, "b2": 60}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("at %s: net fees %v, want %v", at, got, want)
		}
	}
}

// TestE1HolidaysOfItaly walks through a whole year, day by day, in both halves of the clock.
func TestE1HolidaysOfItaly(t *testing.T) {
	s := oneBundle(func(b *engine.Bundle) { b.When = "holiday()" }).snapshot(t)
	easters := map[int]string{2026: "2026-04-05", 2027: "2027-03-28", 2028: "2028-04-16", 2038: "2038-04-25"}
	for year, easter := range easters {
		holidays := map[string]bool{}
		for _, day := range []string{"01-01", "01-06", "04-25", "05-01", "06-02", "08-15", "10-04", "11-01", "12-08", "12-25", "12-26"} {
			holidays[fmt.Sprint(year, "-", day)] = true
		}
		sunday := instant(t, easter+"T12:00:00Z")
		holidays[easter], holidays[sunday.AddDate(0, 0, 1).Format(time.DateOnly)] = true, true
		for day := instant(t, fmt.Sprint(year, "-01-01T12:00:00Z")); day.Year() == year; day = day.AddDate(0, 0, 1) {
			p := plainPayment(5_000)
			p.At = day
			a, err := engine.NewQuoter().Quotes(s, p, everything)
			if err != nil {
				t.Fatal(err)
			}
			if date := day.Format(time.DateOnly); (len(a.Quotes) == 1) != holidays[date] {
				t.Errorf("%s: holiday() is %t", date, len(a.Quotes) == 1)
			}
		}
	}
}

// TestQ12DatesOfTheCalendar holds that a date is valid where its ISO form is one that can be read.
func TestQ12DatesOfTheCalendar(t *testing.T) {
	for date, want := range map[engine.Date]bool{
		20261121: true, 20240229: true, 10101: true, 99991231: true, 20000229: true,
		0: false, 20260229: false, 19000229: false, 20261301: false, 20260100: false, 20260431: false,
		10100: false, 20260001: false, 99991232: false, 100000101: false, -20261121: false,
	} {
		if date.Valid() != want {
			t.Errorf("date %d: valid %t, want %t", date, date.Valid(), want)
		}
	}
}
