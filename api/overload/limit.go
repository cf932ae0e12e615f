package overload

import "time"

const (
	// patience is how much waiting, in looks in a row that are above the target, has to add up before anything is
	// refused: a collection of garbage, or an upload, is no overload. A look adds the times by which it is above,
	// steep at most: a little above for a fifth of a second is as much as far above for three looks.
	patience, steep = 24, 8
	// calm is how many looks in a row nothing may be refused before calls are let in uncounted again.
	calm = 25
	// The rate begins at onset of what was let in of late. Of what it is it falls to fall in a look above the
	// target, more above twice that, and rises by rise of what it began with in one that is not.
	onset, fall, fallFast, rise = 0.7, 0.95, 0.85, 0.015
	// rateMin is the least number of calls a second that are let in: by these the end of the overload shows.
	rateMin = 20
	// memory is the weight of a look in the mean rate of calls.
	memory = 0.1
)

// limit says how many calls are let in while more is asked than can be answered. A number, not a share: it holds
// whatever is asked, from the first moment on.
type limit struct {
	// on says that calls are counted; rate is how many are let in a second, and began what it was at first.
	on          bool
	rate, began float64
	// usual is the mean number of calls a second that went on of late.
	usual float64
	// above adds up the waiting of looks in a row that are above the target, quiet counts those that refuse nothing.
	above float64
	quiet int
	// left is the part of a call that the last look let in less than its due.
	left float64
}

// seen is what a look saw: the time since the one before, how long work waits for a processor, and how many calls
// went on and were refused meanwhile.
type seen struct {
	passed, waited    time.Duration
	admitted, refused uint64
}

// next takes a look in.
func (l *limit) next(s seen, target time.Duration) {
	rate := float64(s.admitted) / s.passed.Seconds()
	if s.waited <= target {
		l.above = 0
	} else {
		l.above += min(float64(s.waited)/float64(target), steep)
	}
	switch {
	case !l.on && l.above < patience:
		l.usual += memory * (rate - l.usual)
	case !l.on:
		// What went on in the last moment, when everybody who could run did, is about what can be answered.
		l.on, l.quiet, l.left = true, 0, 0
		// Not less than went well until now, though: it may be the machine that is slow for a moment.
		l.rate = max(onset*rate, l.usual, rateMin)
		l.began = l.rate
	default:
		l.adapt(s, rate, target)
	}
}

// adapt follows the wait while calls are counted.
func (l *limit) adapt(s seen, rate float64, target time.Duration) {
	switch {
	case s.waited > 2*target:
		l.rate *= fallFast
	case s.waited > target:
		l.rate *= fall
	default:
		l.rate += rise * l.began
	}
	l.rate = max(l.rate, rateMin)
	if l.quiet++; s.refused > 0 || s.waited > target {
		l.quiet = 0
	}
	if l.quiet >= calm {
		l.on, l.above, l.usual = false, 0, rate
	}
}

// tokens returns how many calls may go on until the next look.
func (l *limit) tokens(passed time.Duration) int64 {
	l.left += l.rate * passed.Seconds()
	whole := int64(l.left)
	l.left -= float64(whole)
	return whole
}
