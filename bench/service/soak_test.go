package service

import (
	"slices"
	"testing"
	"time"
)

func TestEachWindowIsComparedWithRestInItsGroup(t *testing.T) {
	s := Soak{Groups: []SoakGroup{{Busy: []time.Duration{3, 4}, Rest: 1}, {Busy: []time.Duration{10, 20}, Rest: 5}}}
	busy, rest := s.Compared()
	if !slices.Equal(busy, []time.Duration{3, 4, 10, 20}) || !slices.Equal(rest, []time.Duration{1, 1, 5, 5}) {
		t.Errorf("%v is compared with %v", busy, rest)
	}
}

func TestChangesRest(t *testing.T) {
	c := changes{resting: true} // without a target: a request would panic
	if err := c.send(t.Context()); err != nil || len(c.times) != 0 {
		t.Errorf("%d changes while they rest, %v", len(c.times), err)
	}
}

func TestThirdsAreThoseOfTheServicesOwnMemory(t *testing.T) {
	var s Soak
	for i := range 10 {
		s.Resident = append(s.Resident, Resident{Bytes: int64(100 + 10*i), Mapped: 50})
	}
	if middle, last := s.Thirds(); middle != 90 || last != 130 { // of windows 3 to 5 and 7 to 9
		t.Errorf("the thirds take %d and %d bytes instead of 90 and 130", middle, last)
	}
	s.Resident = s.Resident[:2]
	if middle, last := s.Thirds(); middle != 0 || last != 0 {
		t.Error("two windows have thirds")
	}
}
