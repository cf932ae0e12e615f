package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"gec/bench"
)

// payments is the number of different payments that are measured.
const payments = 64

// row is what was measured of one way on one catalogue.
type row struct {
	Way         string  `json:"way"`
	Bundles     int     `json:"bundles"`
	LeastNs     float64 `json:"leastNs"`
	Ratio       float64 `json:"ratio"` // to the first way
	Allocations float64 `json:"allocations"`
}

func main() {
	sizes := flag.String("bundles", "513,5130", "`numbers` of bundles, with commas between them")
	rounds := flag.Int("rounds", 6, "how often each way is measured, in turn with the others")
	slice := flag.Duration("slice", 60*time.Millisecond, "processor `time` of a way in a round")
	results := flag.String("o", "", "`file` that the results are written to as JSON")
	flag.Parse()
	if err := run(*sizes, bench.Effort{Rounds: *rounds, Slice: *slice}, *results); err != nil {
		fmt.Fprintln(os.Stderr, "bench/peers:", err)
		os.Exit(1)
	}
}

func run(sizes string, effort bench.Effort, file string) error {
	var rows []row
	for size := range strings.SplitSeq(sizes, ",") {
		bundles, err := strconv.Atoi(size)
		if err != nil || bundles < 1 {
			return fmt.Errorf("-bundles: %q is no number of bundles", size)
		}
		measured, err := measure(bundles, effort)
		if err != nil {
			return fmt.Errorf("at %d bundles: %w", bundles, err)
		}
		rows = append(rows, measured...)
	}
	if err := printRows(rows); err != nil || file == "" {
		return err
	}
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// measure makes all ways on a catalogue, compares their answers and times them.
func measure(bundles int, effort bench.Effort) (rows []row, err error) {
	c := bench.Generate(bench.List(bundles))
	asked := c.Payments(payments, bench.Mix{Card: true})
	var all []way
	var cases []bench.Case
	for _, w := range ways {
		if bundles > w.bundlesMax {
			continue
		}
		fmt.Fprintf(os.Stderr, "preparing %s at %d bundles …\n", w.name, bundles)
		answer, err := w.make(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		all = append(all, answer)
		cases = append(cases, bench.Case{Name: w.name, Prepare: func(*bench.Lab) (bench.Operation, error) {
			return func(i int) error {
				_, err := answer(&asked[i%payments])
				return err
			}, nil
		}})
	}
	fmt.Fprintln(os.Stderr, "comparing the answers of all ways …")
	if err := checkAnswers(all, asked); err != nil {
		return nil, fmt.Errorf("the ways do not agree, nothing was timed: %w", err)
	}
	results, err := bench.Measure(nil, cases, effort, func(round int) {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, effort.Rounds)
	})
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		r := results[c.Name]
		rows = append(rows, row{c.Name, bundles, r.Least(), r.Ratio(results[cases[0].Name]), r.Allocations})
	}
	return rows, nil
}

func printRows(rows []row) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "bundles\tone quote\ttimes this engine\tallocations\t  way\n")
	for _, r := range rows {
		fmt.Fprintf(out, "%d\t%s\t%.0f ×\t%.0f\t  %s\n", r.Bundles, time.Duration(r.LeastNs), r.Ratio, r.Allocations, r.Way)
	}
	return out.Flush()
}
