package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// spreadMax is the part by which the ratios of several runs may lie from their middle.
const spreadMax = 0.10

// agree compares the ratios of several runs, row by row, and prints how far they lie apart. Errors: a row whose
// ratios lie further from the middle between the least and the greatest than spreadMax; rows that some run lacks.
func agree(out io.Writer, files []string) error {
	if len(files) < 2 {
		return errors.New("-agree: name the results of two runs at least")
	}
	var order []string
	ratios := map[string][]float64{}
	for _, file := range files {
		r, err := readReport(file)
		if err != nil {
			return err
		}
		for _, g := range r.Goals {
			if g.Ratio == 0 {
				continue
			}
			if ratios[g.What] == nil {
				order = append(order, g.What)
			}
			ratios[g.What] = append(ratios[g.What], g.Ratio)
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var all []error
	for _, what := range order {
		values := ratios[what]
		least, most := math.Inf(1), 0.0
		for _, v := range values {
			least, most = min(least, v), max(most, v)
		}
		spread := (most - least) / (most + least)
		fmt.Fprintf(w, "%s\t%.2f\t… %.2f\t± %.0f %%\n", what, least, most, spread*100)
		switch {
		case len(values) < len(files):
			all = append(all, fmt.Errorf("%s: only %d of %d runs have it", what, len(values), len(files)))
		case spread > spreadMax:
			all = append(all, fmt.Errorf("%s: the ratios lie ± %.0f %% apart", what, spread*100))
		}
	}
	return errors.Join(append(all, w.Flush())...)
}
