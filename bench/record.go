package bench

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
)

// Ratio is a ratio of times that is recorded and guarded: that of a case over that of its floor.
type Ratio struct{ Case, Floor string }

// Name is the name under which the ratio is recorded.
func (r Ratio) Name() string { return r.Case + " : " + r.Floor }

// Ratios lists the ratios that are guarded. Their floors are loops of this folder, which nobody tunes, or the
// same case on a smaller catalogue. Snapshots are not among them: what they take depends on the garbage
// collector, and differs by half from one run to the next; the report shows them.
func Ratios() []Ratio {
	return []Ratio{
		{"quote/fee/513", "integers/fee/513"},
		{"quote/card/513", "integers/card/513"},
		{"quote/own-card/513", "integers/card/513"},
		{"quote/filter/513", "integers/fee/513"},
		{"quote/when/513", "integers/card/513"},
		{"quote/rich/513", "integers/fee/513"},
		{"quote/cart/513", "integers/card/513"},
		{"quote/random/513", "integers/card/513"},
		{"quote/v1/513", "integers/fee/513"},
		{"json/card/513", "integers/card/513"},
		{"json/v1/513", "integers/fee/513"},
		{"plain/fee/513", "programs/fee/513"},
		{"quote/fee/51300", "quote/fee/513"},
		{"quote/card/51300", "quote/card/513"},
		{"quote/own-card/51300", "quote/own-card/513"},
		{"quote/filter/51300", "quote/filter/513"},
		{"quote/when/51300", "quote/when/513"},
		{"quote/cart/51300", "quote/cart/513"},
		{"quote/random/51300", "integers/card/51300"},
		{"quote/feerandom/51300", "integers/card/51300"},
		{"quote/pspname/51300", "integers/card/51300"},
		{"quote/v1/51300", "integers/fee/51300"},
		{"json/card/51300", "json/card/513"},
	}
}

// Record is what is kept of a measurement for the guard: no times, which are those of a machine, but what
// holds on every one.
type Record struct {
	// Allocations of one operation, by the name of the case. They are exact, and nothing on the way of a
	// quote allocates.
	Allocations map[string]float64 `json:"allocations"`
	// Ratios by their name; see [Ratios].
	Ratios map[string]float64 `json:"ratios"`
}

// guardsAllocations reports whether the allocations of a case are recorded: those of quotes are.
func guardsAllocations(name string) bool { return hasWay(name, "quote") || hasWay(name, "json") }

func hasWay(name, way string) bool { return len(name) > len(way) && name[:len(way)+1] == way+"/" }

// NewRecord takes from results what is recorded. Errors: a ratio whose cases were not measured.
func NewRecord(results Results) (Record, error) {
	r := Record{Allocations: map[string]float64{}, Ratios: map[string]float64{}}
	for name, result := range results {
		if guardsAllocations(name) {
			r.Allocations[name] = math.Round(result.Allocations*100) / 100
		}
	}
	for _, ratio := range Ratios() {
		measured, floor := results[ratio.Case], results[ratio.Floor]
		if measured == nil || floor == nil {
			return r, fmt.Errorf("%s was not measured", ratio.Name())
		}
		r.Ratios[ratio.Name()] = significant(measured.Ratio(floor))
	}
	return r, nil
}

// significant rounds to three digits, which is more than a ratio is good for.
func significant(value float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 3, 64), 64) // reads what was just written
	return rounded
}

// ReadRecord reads a record that [Record.Write] has written.
func ReadRecord(file string) (r Record, err error) {
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// Write writes the record to a file.
func (r Record) Write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// Loss is something that got worse than it was recorded, or that could not be compared at all.
type Loss struct {
	// Name of the case or the ratio.
	Name string
	// What is said of it, with the numbers.
	What string
	// Noise says that measuring again may show that it is none; not so for allocations and for what is
	// missing.
	Noise bool
}

// Compare returns the losses of now against the record, by name. A ratio may exceed the recorded one by the
// margin, 0.25 for a quarter; allocations may not grow at all. What only one of the two has is a loss, too:
// a guard that compares less than everything must say so.
func (r Record) Compare(now Record, margin float64) (losses []Loss) {
	each(r.Allocations, now.Allocations, &losses, func(name string, before, after float64) {
		if after > before+0.005 {
			losses = append(losses, Loss{Name: name, What: fmt.Sprintf("allocates %.2f times instead of %.2f", after, before)})
		}
	})
	each(r.Ratios, now.Ratios, &losses, func(name string, before, after float64) {
		if after > before*(1+margin) {
			losses = append(losses, Loss{Name: name, What: fmt.Sprintf("is %.3g instead of %.3g: %+.0f %%", after, before, 100*(after/before-1)), Noise: true})
		}
	})
	return losses
}

// each calls compare with what both have, by name, and notes as lost what only one of them has.
func each(recorded, measured map[string]float64, losses *[]Loss, compare func(name string, before, after float64)) {
	for _, name := range allNames(recorded, measured) {
		before, was := recorded[name]
		after, is := measured[name]
		if !was || !is {
			*losses = append(*losses, missing(name, was))
			continue
		}
		compare(name, before, after)
	}
}

func allNames(a, b map[string]float64) []string {
	names := maps.Clone(a)
	if names == nil {
		names = map[string]float64{}
	}
	maps.Copy(names, b)
	return slices.Sorted(maps.Keys(names))
}

func missing(name string, recorded bool) Loss {
	if recorded {
		return Loss{Name: name, What: "is recorded but is not measured any more: was it renamed?"}
	}
	return Loss{Name: name, What: "is not recorded: run the report with -record"}
}

// GuardedCases returns the cases that a comparison with a record needs.
func GuardedCases() []Case {
	needed := map[string]bool{}
	for _, r := range Ratios() {
		needed[r.Case], needed[r.Floor] = true, true
	}
	return slices.DeleteFunc(Cases(), func(c Case) bool { return !needed[c.Name] && !guardsAllocations(c.Name) })
}
