// Command report measures the service beside its floors and prints the table of goals: what, goal, measured,
// ratio to the floor, and whether the goal is met. It runs by itself; the service's part builds the gec binary
// and starts it on loopback. Nothing that it prints is a promise about another machine but the ratios.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"gec/bench"
	"gec/bench/service"
)

// settings are the flags.
type settings struct {
	rounds                        int
	slice, load                   time.Duration
	engine, service, long, record bool
	results, recorded             string
	node                          service.Node
	only, doc                     string
	agree                         bool
	soak                          time.Duration
	latencyRounds                 int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch args := os.Args[1:]; {
	case service.IsFloor(args):
		err = service.ServeFloor(ctx, args)
	case service.IsFill(args):
		err = service.Fill(ctx, args)
	default:
		err = run(ctx, parse())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/report:", err)
		os.Exit(1)
	}
}

func parse() settings {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 8, "how often each case is measured, in turn with the others")
	flag.DurationVar(&s.slice, "slice", 40*time.Millisecond, "processor `time` of a case in a round")
	flag.BoolVar(&s.engine, "engine", true, "measure what runs in process")
	flag.BoolVar(&s.service, "service", true, "measure the running service")
	flag.BoolVar(&s.long, "long", true, "also measure a million subscriptions")
	flag.StringVar(&s.only, "only", "", "measure of the running service only these `parts`, with commas between them: "+strings.Join(parts, ", "))
	flag.DurationVar(&s.soak, "soak", 0, "do nothing but ask at half of the peak for this `time`, with a change of the catalogue every second")
	flag.StringVar(&s.node.Binary, "gec", "", "`binary` of the service; none: it is built from ./cmd/gec")
	flag.BoolVar(&s.node.Keys, "keys", true, "have callers show an access key")
	flag.Func("serve", "a further `argument` of gec serve, such as one that turns traces on; may be repeated", func(argument string) error {
		s.node.Arguments = append(s.node.Arguments, argument)
		return nil
	})
	flag.Func("header", "a `header` that callers send, \"Name: value\", such as a key; may be repeated", func(text string) error {
		name, value, found := strings.Cut(text, ":")
		if !found {
			return errors.New("there is no colon in it")
		}
		s.node.Headers = append(s.node.Headers, service.Header{Name: name, Value: strings.TrimSpace(value)})
		return nil
	})
	flag.DurationVar(&s.load, "load", 400*time.Millisecond, "`time` of one turn of a load on the service or its floor")
	flag.IntVar(&s.latencyRounds, "latency-rounds", 200, "how often a latency is measured, in turn with what it is compared with")
	flag.StringVar(&s.results, "o", "bench/results.json", "`file` that the results are written to, times included; none: they are not")
	flag.StringVar(&s.recorded, "recorded", "bench/recorded.json", "`file` of what the guard compares with")
	flag.StringVar(&s.doc, "doc", "", "measure nothing: write the goals of the results into this `document`")
	flag.BoolVar(&s.agree, "agree", false, "measure nothing: compare the ratios of the results named after the flags; fails where they lie more than ± 10 % apart")
	flag.BoolVar(&s.record, "record", false, "write that file")
	flag.Parse()
	return s
}

// parts are those of the measurement of the running service.
var parts = []string{"http", "grpc", "latency", "batch", "start", "memory", "uploads", "changes", "journal", "subscriptions"}

// measures reports whether a part is asked for.
func (s *settings) measures(part string) bool {
	return s.only == "" || slices.Contains(strings.Split(s.only, ","), part)
}

func run(ctx context.Context, s settings) error {
	for part := range strings.SplitSeq(s.only, ",") {
		if part != "" && !slices.Contains(parts, part) {
			return fmt.Errorf("-only: there is no part %q: use some of %s", part, strings.Join(parts, ", "))
		}
	}
	switch {
	case s.agree:
		return agree(os.Stdout, flag.Args())
	case s.doc != "":
		r, err := readReport(s.results)
		if err != nil {
			return err
		}
		return r.writeDoc(s.doc)
	}
	report := report{With: append([]string{"journal", "metrics"}, s.node.Arguments...)}
	if s.node.Keys {
		report.With = append([]string{"an access key in every call"}, report.With...)
	}
	if s.soak > 0 {
		return soak(ctx, s, &report)
	}
	if s.engine {
		results, err := measureEngine(s, &report)
		if err != nil {
			return err
		}
		if s.record {
			record, err := bench.NewRecord(results)
			if err != nil {
				return err
			}
			if err := record.Write(s.recorded); err != nil {
				return err
			}
			fmt.Fprintln(os.Stderr, "recorded in", s.recorded)
		}
	} else if s.record {
		return fmt.Errorf("-record needs -engine: what is recorded runs in process")
	}
	if s.service {
		if err := measureService(ctx, s, &report); err != nil {
			return err
		}
	}
	if err := report.print(os.Stdout); err != nil {
		return err
	}
	if s.results == "" {
		return nil
	}
	return report.write(s.results)
}

// say tells the person who waits what is being done.
func say(format string, values ...any) { fmt.Fprintf(os.Stderr, format+"\n", values...) }
