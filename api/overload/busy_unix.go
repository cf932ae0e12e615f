//go:build unix

package overload

import (
	"runtime"
	"syscall"
	"time"
)

// busy tells how much of its processors the process uses.
type busy struct {
	used time.Duration
	at   time.Time
}

func newBusy() *busy {
	b := &busy{}
	b.share()
	return b
}

// share returns the share of the processors that were used since the last call, 0 to 1; 1 where the system does
// not tell.
func (b *busy) share() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 1
	}
	used, now := time.Duration(usage.Utime.Nano()+usage.Stime.Nano()), time.Now()
	spent, passed := used-b.used, now.Sub(b.at)
	b.used, b.at = used, now
	return float64(spent) / float64(passed) / float64(runtime.GOMAXPROCS(0))
}
