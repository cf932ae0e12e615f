package main

import (
	"fmt"
	"os"
	"strings"
)

// The lines of a document between which the table of goals stands.
const (
	docBegin = "<!-- written by: go run ./bench/report -doc docs/performance.md -->"
	docEnd   = "<!-- end -->"
)

// writeDoc puts the goals of a report into a document, in place of those that are there. Errors: the marks are
// missing; a report that has no goals.
func (r *report) writeDoc(file string) error {
	if len(r.Goals) == 0 {
		return fmt.Errorf("%s: there are no goals to write: measure first, with make bench", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), docBegin)
	_, after, ends := strings.Cut(rest, docEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no lines %q and %q to write between", file, docBegin, docEnd)
	}
	return os.WriteFile(file, []byte(before+docBegin+"\n"+r.markdown()+docEnd+after), 0o644)
}

// markdown returns the goals as a table, and the reasons for those that were missed.
func (r *report) markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "Measured in one run on %s, %s, %d processors", r.At.Format("2 January 2006"), r.Go, r.Processors)
	if len(r.With) > 0 {
		fmt.Fprintf(&out, ", the service with %s", strings.Join(r.With, ", "))
	}
	out.WriteString(".\n\n| what | goal | measured | floor | ratio | by CPU | |\n|---|---|---|---|---|---|---|\n")
	for _, g := range r.Goals {
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s | %s |\n", g.What, g.Goal, g.Measured, g.Floor, ratio(g.Ratio), ratio(g.RatioByCPU), g.Met)
	}
	out.WriteString("\n")
	for _, g := range r.Goals {
		if g.Why != "" {
			fmt.Fprintf(&out, "- missed: %s: %s.\n", g.What, g.Why)
		}
	}
	return out.String()
}
