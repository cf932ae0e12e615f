package condition

import (
	"testing"
	"time"
)

// TestE2Easter compares with the dates as published.
func TestE2Easter(t *testing.T) {
	for _, want := range []string{
		"2000-04-23", "2005-03-27", "2008-03-23", "2011-04-24", "2014-04-20", "2015-04-05", "2016-03-27", "2017-04-16", "2018-04-01",
		"2019-04-21", "2020-04-12", "2021-04-04", "2022-04-17", "2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28",
		"2028-04-16", "2029-04-01", "2030-04-21", "2031-04-13", "2032-03-28", "2033-04-17", "2034-04-09", "2035-03-25", "2036-04-13",
		"2037-04-05", "2038-04-25", "2039-04-10", "2040-04-01", "2076-04-19", "2100-03-28",
	} {
		easter, err := time.Parse(time.DateOnly, want)
		if err != nil {
			t.Fatal(err)
		}
		for offset, holiday := range map[int]bool{-2: false, -1: false, 0: true, 1: true, 2: false} {
			day := easter.AddDate(0, 0, offset)
			if day.Format("01-02") == "04-25" {
				continue // Liberation Day, whatever Easter says
			}
			if got := isHoliday(day.Year(), int(day.Month()), day.Day()); got != holiday {
				t.Errorf("%s, Easter %+d: %v, want %v", day.Format(time.DateOnly), offset, got, holiday)
			}
		}
	}
}

// TestE2Holidays compares every day of three centuries with the reference's table of moons.
func TestE2Holidays(t *testing.T) {
	for day := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2200; day = day.AddDate(0, 0, 1) {
		got, want := isHoliday(day.Year(), int(day.Month()), day.Day()), referenceHoliday(day.Year(), int(day.Month()), day.Day())
		if got != want {
			t.Fatalf("%s: %v, want %v", day.Format(time.DateOnly), got, want)
		}
	}
}

// TestE2Holidays2026 lists the year's holidays as a calendar prints them.
func TestE2Holidays2026(t *testing.T) {
	want := []string{"01-01", "01-06", "04-05", "04-06", "04-25", "05-01", "06-02", "08-15", "10-04", "11-01", "12-08", "12-25", "12-26"}
	var got []string
	for day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == 2026; day = day.AddDate(0, 0, 1) {
		if isHoliday(day.Year(), int(day.Month()), day.Day()) {
			got = append(got, day.Format("01-02"))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
