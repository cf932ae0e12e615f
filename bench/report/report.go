package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"gec/bench"
)

// report is everything that was measured.
type report struct {
	At         time.Time `json:"at"`
	Go         string    `json:"go"`
	Processors int       `json:"processors"`
	// With are the parts of the service that were on, and further arguments of it.
	With []string `json:"with,omitempty"`
	// Goals are the rows of the table of shared/performance.md.
	Goals []goal `json:"goals"`
	// Details are further numbers beside their floors.
	Details []goal `json:"details"`
	// Cases are the times of what runs in process, in nanoseconds.
	Cases []caseRow `json:"cases"`
}

// goal is one row: what is measured, what is to be reached, what was, beside which floor.
type goal struct {
	What     string `json:"what"`
	Goal     string `json:"goal,omitempty"`
	Measured string `json:"measured"`
	Floor    string `json:"floor,omitempty"`
	// Ratio is to the floor, in the sense in which the goal is stated; 0 for none.
	Ratio float64 `json:"ratio,omitempty"`
	// RatioByCPU is the same by processor time (see service.Peaks.CPURatio); 0 for none.
	RatioByCPU float64 `json:"ratioByCPU,omitempty"`
	// Met is "met", "missed", or empty for what has no goal.
	Met string `json:"met,omitempty"`
	// Why is the reason for a goal that was missed, where the measurement tells one.
	Why string `json:"why,omitempty"`
}

type caseRow struct {
	Name        string  `json:"name"`
	Least       float64 `json:"leastNs"`
	Median      float64 `json:"medianNs"`
	Allocations float64 `json:"allocations"`
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

func (r *report) goal(g goal) {
	switch {
	case g.Met == verdict(true):
		g.Why = ""
	case g.Met != "" && g.Why == "":
		g.Why = "measured " + g.Measured
		if g.Floor != "" {
			g.Why += ", beside " + g.Floor
		}
	}
	r.Goals = append(r.Goals, g)
}
func (r *report) detail(g goal) { r.Details = append(r.Details, g) }

func (r *report) cases(cases []bench.Case, results bench.Results) {
	for _, c := range cases {
		m := results[c.Name]
		r.Cases = append(r.Cases, caseRow{c.Name, m.Least(), m.Median(), m.Allocations})
	}
}

// print writes the tables for people.
func (r *report) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(r.Cases) > 0 {
		fmt.Fprintln(w, "IN PROCESS\tbest\tmedian\tallocations")
		for _, c := range r.Cases {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Name, nanoseconds(c.Least), nanoseconds(c.Median), plain(c.Allocations))
		}
		fmt.Fprintln(w)
	}
	table(w, "GOALS", r.Goals)
	table(w, "DETAILS", r.Details)
	return w.Flush()
}

func table(w io.Writer, title string, goals []goal) {
	if len(goals) == 0 {
		return
	}
	fmt.Fprintf(w, "%s\tgoal\tmeasured\tfloor\tratio\tby CPU\t\n", title)
	for _, g := range goals {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", g.What, g.Goal, g.Measured, g.Floor, ratio(g.Ratio), ratio(g.RatioByCPU), strings.ToUpper(g.Met))
	}
	fmt.Fprintln(w)
	for _, g := range goals {
		if g.Why != "" {
			fmt.Fprintf(w, "missed: %s: %s\n", g.What, g.Why)
		}
	}
}

// ratio writes one, or nothing where there is none.
func ratio(r float64) string {
	if r <= 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", r)
}

// readReport reads what write wrote.
func readReport(file string) (r report, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	if err = json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// write writes everything as JSON.
func (r *report) write(file string) error {
	r.At, r.Go, r.Processors = time.Now().UTC().Truncate(time.Second), runtime.Version(), runtime.NumCPU()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// nanoseconds writes a time in the unit that suits it.
func nanoseconds(ns float64) string {
	switch {
	case ns < 1e4:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 1e7:
		return fmt.Sprintf("%.1f µs", ns/1e3)
	}
	return fmt.Sprintf("%.0f ms", ns/1e6)
}

func duration(d time.Duration) string { return nanoseconds(float64(d)) }

func plain(n float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", n), "0"), ".")
}
