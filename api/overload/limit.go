package overload

import "time"

// What a look finds above the target is either more calls than can be answered, or somebody else who has the
// processors for a moment: a collection of garbage, an upload, the store that merges its files. Of the first it takes
// tens of milliseconds until a queue is too long; of the second nobody need be turned away, since nothing would be
// answered earlier by it. How many calls come, against how many usually do, tells them apart.
const (
	// crowd is the times of what usually comes that are many, beyond slack of it, or fewMin calls: who waited while
	// nothing was answered comes at once afterwards.
	crowd  = 1.5
	slack  = 40 * time.Millisecond
	fewMin = 24
	// patience is how much waiting, in looks in a row that are above the target, has to add up before calls wait for
	// no longer than the target where many come, patienceFew how many looks where not. A look adds the times by which
	// it is above, steep at most, and turned where calls were turned away in it.
	patience, steep, turned = 24, 8, 4
	patienceFew             = 100
	// onset is the times of the target for which a call may wait before that where many come, onsetFew where not.
	onset, onsetFew = 5, 100
	// calm is how many looks in a row nothing may be refused before calls go on unasked again.
	calm = 25
	// memory is the weight of a look in the mean share of calls that are refused, memoryUsual in what usually comes.
	memory, memoryUsual = 0.1, 0.02
)

// limit says for how long a call may wait for a processor.
type limit struct {
	// usual is how many calls a second come while nobody is asked.
	usual float64
	episode
}

// episode is what is seen from the first look above the target until all is calm.
type episode struct {
	// asked says that calls are asked how long they wait; many that more come than usual; firm that the target is what
	// they may wait.
	asked, many, firm bool
	// excess is how many calls came beyond what is many.
	excess float64
	// above adds up the waiting of looks in a row that are above the target, late counts these, quiet those that
	// refuse nothing.
	above       float64
	late, quiet int
}

// seen is what a look saw: the time since the one before, how long work waits for a processor, and how many calls came
// and were refused meanwhile.
type seen struct {
	passed, waited time.Duration
	came, refused  uint64
}

// next takes a look in.
func (l *limit) next(s seen, target time.Duration) {
	late := s.waited > target
	if !l.asked {
		l.excess = 0
	}
	l.asked = l.asked || late
	l.excess = max(0, l.excess+float64(s.came)-crowd*l.usual*s.passed.Seconds())
	l.many = l.asked && (l.many || l.excess > max(fewMin, slack.Seconds()*l.usual))
	if !l.asked {
		l.usual += memoryUsual * (float64(s.came)/s.passed.Seconds() - l.usual)
	}
	l.patient(late, s, target)
	if l.quiet++; late || s.refused > 0 {
		l.quiet = 0
	}
	if l.quiet >= calm {
		l.episode = episode{}
	}
}

// patient adds up how long it has been late.
func (l *limit) patient(late bool, s seen, target time.Duration) {
	switch {
	case late:
		l.above += min(float64(s.waited)/float64(target), steep)
		l.late++
	case s.refused == 0:
		l.above, l.late = 0, 0
	}
	if s.refused > 0 {
		l.above += turned
	}
	l.firm = l.firm || l.many && l.above >= patience || l.late >= patienceFew
}

// within returns for how long a call may wait; 0 where it need not be asked.
func (l *limit) within(target time.Duration) time.Duration {
	switch {
	case l.firm:
		return target
	case l.many:
		return onset * target
	case l.asked:
		return onsetFew * target
	}
	return 0
}
