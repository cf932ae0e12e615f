package overload

import "time"

const (
	// patience is how much waiting, in looks in a row that are above the target, has to add up before calls wait for
	// no longer than the target: a collection of garbage, or an upload, is no overload. A look adds the times by
	// which it is above, steep at most, and turned where calls were turned away in it: a little above for a fifth of
	// a second is as much as far above for three looks.
	patience, steep, turned = 24, 8, 4
	// onset is the times of the target for which a call may wait from the first look above it on: longer than
	// whoever works on two processors keeps one at a time, and yet no queue that takes long to be gone.
	onset = 5
	// calm is how many looks in a row nothing may be refused before calls go on unasked again.
	calm = 25
	// memory is the weight of a look in the mean share of calls that are refused.
	memory = 0.1
)

// limit says for how long a call may wait for a processor.
type limit struct {
	// asked says that calls are asked how long they wait; firm that the target is what they may.
	asked, firm bool
	// above adds up the waiting of looks in a row that are above the target, quiet counts those that refuse nothing.
	above float64
	quiet int
}

// seen is what a look saw: how long work waits for a processor, and how many calls were refused since the one before.
type seen struct {
	waited  time.Duration
	refused uint64
}

// next takes a look in.
func (l *limit) next(s seen, target time.Duration) {
	late := s.waited > target
	switch {
	case late:
		l.above += min(float64(s.waited)/float64(target), steep)
	case s.refused == 0:
		l.above = 0
	}
	if s.refused > 0 {
		l.above += turned
	}
	l.asked = l.asked || late
	l.firm = l.asked && (l.firm || l.above >= patience)
	if l.quiet++; late || s.refused > 0 {
		l.quiet = 0
	}
	if l.quiet >= calm {
		*l = limit{}
	}
}

// within returns for how long a call may wait; 0 where it need not be asked.
func (l *limit) within(target time.Duration) time.Duration {
	switch {
	case l.firm:
		return target
	case l.asked:
		return onset * target
	}
	return 0
}
