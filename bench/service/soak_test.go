package service

import (
	"math"
	"testing"
	"time"
)

func TestSlopeIsThatOfTheSecondHalf(t *testing.T) {
	s := Soak{Window: 30 * time.Second}
	for i := range 10 {
		s.Resident = append(s.Resident, Resident{Bytes: 1000})
		if i < 5 {
			s.Resident[i].Bytes = int64(i) // caches that fill
		} else {
			s.Resident[i].Bytes = 1000 + 50*int64(i)
		}
	}
	if got := s.Slope(); math.Abs(got-100) > 1e-6 {
		t.Errorf("the memory grows by %g bytes a minute instead of 100", got)
	}
	s.Resident = s.Resident[:2]
	if s.Slope() != 0 {
		t.Error("two windows have a slope")
	}
}
