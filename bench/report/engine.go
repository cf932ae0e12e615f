package main

import (
	"fmt"

	"gec/bench"
)

// measureEngine measures everything that runs in process, and fills in its goals.
func measureEngine(s settings, r *report) (bench.Results, error) {
	lab := bench.NewLab()
	say("comparing the answers of all ways …")
	if err := lab.CheckAnswers(); err != nil {
		return nil, fmt.Errorf("the ways do not agree, nothing was timed: %w", err)
	}
	cases := bench.Cases()
	results, err := bench.Measure(lab, cases, bench.Effort{Rounds: s.rounds, Slice: s.slice},
		func(round int) { say("in process: round %d of %d", round+1, s.rounds) })
	if err != nil {
		return nil, err
	}
	r.cases(cases, results)
	quoteGoals(r, results)
	otherGoals(r, results)
	lab.Forget()
	for _, bundles := range bench.Sizes() {
		m, err := bench.MeasureMemory(bench.List(bundles))
		if err != nil {
			return nil, err
		}
		r.detail(goal{
			What:     fmt.Sprintf("memory at %d bundles", bundles),
			Measured: fmt.Sprintf("%d bytes a bundle, %d more once it was quoted", m.Snapshot/int64(bundles), m.Quoted/int64(bundles)),
		})
	}
	return results, nil
}

// quoteGoals are the first three rows of the table, each for the everyday mix and for cards, whose answers are
// the longest.
func quoteGoals(r *report, results bench.Results) {
	for _, kind := range []string{"fee", "card"} {
		small, large, floor := results["quote/"+kind+"/513"], results["quote/"+kind+"/51300"], results["integers/"+kind+"/513"]
		label := map[string]string{"fee": "everyday mix", "card": "cards, ten rows"}[kind]
		r.goal(goal{
			What: "quote in process, 513 bundles, " + label, Goal: "≤ 1 µs, 0 allocs", Measured: timeAndAllocations(small),
			Floor: "loop over integers " + nanoseconds(floor.Least()), Ratio: small.Ratio(floor), Met: verdict(within(small, 1_000)),
			Why: slower(results, small, 1_000),
		})
		ratio := large.Ratio(small)
		r.goal(goal{
			What: "the same at 51 300, order fee, " + label, Goal: "≤ 2 × 513, 0 allocs", Measured: timeAndAllocations(large),
			Floor: "at 513 " + nanoseconds(small.Least()), Ratio: ratio, Met: verdict(ratio <= 2 && large.Allocations == 0),
		})
	}
	for _, row := range []struct {
		bundles string
		limit   float64
	}{{"513", 2_500}, {"51300", 4_000}} {
		m, quote := results["json/card/"+row.bundles], results["quote/card/"+row.bundles]
		r.goal(goal{
			What: "JSON in to JSON out, " + row.bundles + " bundles", Goal: "≤ " + nanoseconds(row.limit) + ", 0 allocs", Measured: timeAndAllocations(m),
			Floor: "its quote alone " + nanoseconds(quote.Least()), Ratio: m.Ratio(quote), Met: verdict(within(m, row.limit)),
			Why: slower(results, m, row.limit),
		})
	}
}

func otherGoals(r *report, results bench.Results) {
	for _, row := range []struct {
		what, measured, floor string
		limit                 float64
	}{
		{"order random, 51 300 bundles", "quote/random/51300", "integers/card/51300", 25_000},
		{"order feerandom, 51 300 bundles", "quote/feerandom/51300", "integers/card/51300", 25_000},
		{"order pspname, 51 300 bundles", "quote/pspname/51300", "integers/card/51300", 25_000},
		{"EC with 200 bundles, 5 notices to 3 ECs, 513", "quote/cart/513", "integers/card/513", 5_000},
		{"EC with 200 bundles, 5 notices to 3 ECs, 51 300", "quote/cart/51300", "integers/card/51300", 5_000},
	} {
		m, floor := results[row.measured], results[row.floor]
		r.goal(goal{
			What: row.what, Goal: "≤ " + nanoseconds(row.limit) + ", 0 allocs", Measured: timeAndAllocations(m),
			Floor: "loop over integers " + nanoseconds(floor.Least()), Ratio: m.Ratio(floor), Met: verdict(within(m, row.limit)),
			Why: slower(results, m, row.limit),
		})
	}
	for _, bundles := range []string{"513", "5130"} {
		m, floor := results["plain/fee/"+bundles], results["quote/fee/"+bundles]
		r.goal(goal{
			What: "plain path (P5) over the indexed path, " + bundles, Goal: "reported", Measured: timeAndAllocations(m),
			Floor: "indexed " + nanoseconds(floor.Least()), Ratio: m.Ratio(floor),
		})
	}
	for _, row := range [][3]string{
		{"loop over strings", "strings/card/513", "integers/card/513"},
		{"one expr program a bundle", "programs/card/513", "integers/card/513"},
		{"indexed quote", "quote/card/5130", "integers/card/5130"},
		{"indexed quote", "quote/card/51300", "integers/card/51300"},
		{"with a condition on 5 %", "quote/when/51300", "quote/card/51300"},
		{"new snapshot", "snapshot/build/51300", ""},
		{"snapshot of one changed bundle", "snapshot/change/51300", "snapshot/build/51300"},
	} {
		m, floor := results[row[1]], results[row[2]]
		g := goal{What: row[0] + ", " + m.Name, Measured: timeAndAllocations(m)}
		if floor != nil {
			g.Floor, g.Ratio = floor.Name+" "+nanoseconds(floor.Least()), m.Ratio(floor)
		}
		r.detail(g)
	}
}

// referenceNs is what the loop over integers, whose code nobody tunes, takes at 513 bundles on the machine for which
// the goals in microseconds were written.
const referenceNs = 1_150

// slower says by how much this machine is the slower one, as the reason for a time above its limit.
func slower(results bench.Results, m *bench.Result, limitNs float64) string {
	factor := results["integers/card/513"].Least() / referenceNs
	if m.Allocations > 0 || m.Least() > limitNs*factor {
		return ""
	}
	return fmt.Sprintf("this machine, as busy as it is, takes %.1f times as long as the one of the goals for the same loop over integers; %s by that measure", factor, nanoseconds(m.Least()/factor))
}

// within reports whether a quote keeps to its goal: its time in the best round, which is the one that the rest
// of the machine disturbed least, and no allocation.
func within(m *bench.Result, limitNs float64) bool { return m.Least() <= limitNs && m.Allocations == 0 }

func timeAndAllocations(m *bench.Result) string {
	return fmt.Sprintf("%s, %s allocs", nanoseconds(m.Least()), plain(m.Allocations))
}
