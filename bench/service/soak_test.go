package service

import "testing"

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
