package node

import (
	"runtime"
	"testing"
)

func TestGCPercentIsTheHeadroom(t *testing.T) {
	for live, want := range map[uint64]int{
		0: gcPercentMax, 1 << 20: gcPercentMax, heapBytes / 4: 300, heapBytes / 2: 100, 2 * headroomBytes: 50, 1 << 40: gcPercentMin,
	} {
		if got := gcPercent(live); got != want {
			t.Errorf("gcPercent(%d) = %d, want %d", live, got, want)
		}
	}
	runtime.GC()
	if liveBytes() == 0 {
		t.Error("the runtime does not tell what is alive")
	}
}
