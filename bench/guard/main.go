// Command guard measures again what bench/recorded.json was recorded of, and fails on a loss: an allocation
// more on the way of a quote, or a ratio to a floor that got worse by more than the margin. It fails as well,
// and says so loudly, when it compared nothing or less than everything: a record that is missing, a case that
// was renamed, a case that is not recorded.
//
// Allocations are exact. Ratios are medians of at least six rounds in which the cases take turns, in processor
// time. On a 2-core machine on which others build and test, two such medians of the same code differ by up to
// a quarter, those against the shortest floor at 513 bundles; the margin is 40 %. What seems lost is measured once more by itself, twice
// as long, before it counts.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"gec/bench"
)

const roundsMin = 6

func main() {
	recorded := flag.String("recorded", "bench/recorded.json", "`file` to compare with; bench/report -record writes it")
	margin := flag.Int("margin", 40, "by how many `percent` a ratio may be worse")
	rounds := flag.Int("rounds", 8, "how often each case is measured, in turn with the others; at least 6")
	slice := flag.Duration("slice", 30*time.Millisecond, "processor `time` of a case in a round")
	flag.Parse()
	effort := bench.Effort{Rounds: max(*rounds, roundsMin), Slice: *slice}
	if err := guard(*recorded, float64(*margin)/100, effort); err != nil {
		fmt.Fprintln(os.Stderr, "bench/guard: FAILED:", err)
		os.Exit(1)
	}
}

func guard(file string, margin float64, effort bench.Effort) error {
	recorded, err := bench.ReadRecord(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("NOTHING WAS COMPARED: there is no %s: run bench/report -record once and commit it", file)
	case err != nil:
		return fmt.Errorf("NOTHING WAS COMPARED: %w", err)
	case len(recorded.Allocations) == 0 || len(recorded.Ratios) == 0:
		return fmt.Errorf("NOTHING WAS COMPARED: %s is empty: run bench/report -record", file)
	}
	lab := bench.NewLab()
	if err := lab.CheckAnswers(); err != nil {
		return fmt.Errorf("NOTHING WAS COMPARED: the ways do not agree: %w", err)
	}
	now, err := measure(lab, bench.GuardedCases(), effort)
	if err != nil {
		return err
	}
	losses := recorded.Compare(now, margin)
	if slices.ContainsFunc(losses, func(l bench.Loss) bool { return l.Noise }) {
		if err := again(lab, losses, now, effort); err != nil {
			return err
		}
		losses = recorded.Compare(now, margin)
	}
	fmt.Printf("compared %d ratios and the allocations of %d cases with %s\n", len(now.Ratios), len(now.Allocations), file)
	if len(losses) == 0 {
		return nil
	}
	var text strings.Builder
	for _, l := range losses {
		fmt.Fprintf(&text, "\n  %s %s", l.Name, l.What)
	}
	return fmt.Errorf("%d of them got worse:%s", len(losses), text.String())
}

// measure measures cases and takes what is recorded of them.
func measure(lab *bench.Lab, cases []bench.Case, effort bench.Effort) (bench.Record, error) {
	results, err := bench.Measure(lab, cases, effort, nil)
	if err != nil {
		return bench.Record{}, err
	}
	return bench.NewRecord(results)
}

// again measures the ratios that seem lost once more, by themselves and for twice as long, and puts what they
// are then in place.
func again(lab *bench.Lab, losses []bench.Loss, now bench.Record, effort bench.Effort) error {
	effort.Rounds *= 2
	for _, ratio := range bench.Ratios() {
		if !slices.ContainsFunc(losses, func(l bench.Loss) bool { return l.Noise && l.Name == ratio.Name() }) {
			continue
		}
		fmt.Printf("measuring again: %s\n", ratio.Name())
		cases := slices.DeleteFunc(bench.Cases(), func(c bench.Case) bool { return c.Name != ratio.Case && c.Name != ratio.Floor })
		results, err := bench.Measure(lab, cases, effort, nil)
		if err != nil {
			return err
		}
		now.Ratios[ratio.Name()] = results[ratio.Case].Ratio(results[ratio.Floor])
	}
	return nil
}
