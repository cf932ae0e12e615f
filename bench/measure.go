package bench

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// Effort says how long [Measure] takes.
type Effort struct {
	// Rounds is how many times each case is measured, in turn with the others; at least 1.
	Rounds int
	// Slice is the processor time that a case gets in a round.
	Slice time.Duration
}

// Result is what was measured of one case.
type Result struct {
	Name string
	// Nanoseconds of processor time that one operation took, by round.
	Nanoseconds []float64
	// Allocations of one operation, on average over all payments of the mix.
	Allocations float64
}

// Least returns the time of the best round: the one that others disturbed least.
func (r *Result) Least() float64 { return slices.Min(r.Nanoseconds) }

// Median returns the time of the middle round.
func (r *Result) Median() float64 { return median(r.Nanoseconds) }

// Ratio returns the median, over the rounds, of the time of r over that of the floor in the same round.
func (r *Result) Ratio(floor *Result) float64 {
	ratios := make([]float64, len(r.Nanoseconds))
	for i := range ratios {
		ratios[i] = r.Nanoseconds[i] / floor.Nanoseconds[i]
	}
	return median(ratios)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Results are results by the name of their case.
type Results map[string]*Result

// Measure measures cases in turn, round by round, so that what disturbs the machine for a while disturbs
// all of them alike. Progress is told of every round; it may be nil. Errors: those of a case.
func Measure(lab *Lab, cases []Case, e Effort, progress func(round int)) (Results, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	results := Results{}
	operations := make([]Operation, len(cases))
	counts := make([]int, len(cases))
	for i, c := range cases {
		operation, err := c.Prepare(lab)
		if err == nil {
			counts[i], err = calibrate(operation, e.Slice)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		operations[i] = operation
		results[c.Name] = &Result{Name: c.Name, Allocations: allocations(operation, counts[i])}
	}
	for round := range e.Rounds {
		if progress != nil {
			progress(round)
		}
		for i, c := range cases {
			r := results[c.Name]
			r.Nanoseconds = append(r.Nanoseconds, timed(operations[i], counts[i]))
		}
	}
	return results, nil
}

// countLeast is how often an operation runs in a slice at least: one that takes as long collects garbage now and then.
const countLeast = 8

// calibrate warms an operation up, every payment once, and returns how often it fits a slice.
func calibrate(operation Operation, slice time.Duration) (int, error) {
	start := threadTime()
	for n := 1; ; n++ {
		if err := operation(n - 1); err != nil {
			return 0, err
		}
		if spent := threadTime() - start; spent > slice && n%mixSize == 0 || spent > 4*slice {
			// Whole rounds of the mix where they fit, so that every round measures the same payments.
			count := int(int64(n) * int64(slice) / int64(spent))
			if count > mixSize {
				count -= count % mixSize
			}
			return max(count, countLeast), nil
		}
	}
}

// timed returns the nanoseconds of processor time that one operation takes.
func timed(operation Operation, count int) float64 {
	start := threadTime()
	for i := range count {
		_ = operation(i) // it did not fail when it was calibrated with the same payments
	}
	return float64(threadTime()-start) / float64(count)
}

// allocations returns the number of one operation on average over every payment of the mix, the least of
// several runs: what the runtime itself allocates now and then does not count.
func allocations(operation Operation, count int) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	count = min(count, mixSize)
	least := math.Inf(1)
	var before, after runtime.MemStats
	for range 3 {
		runtime.ReadMemStats(&before)
		for i := range count {
			_ = operation(i)
		}
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.Mallocs-before.Mallocs)/float64(count))
	}
	return least
}
