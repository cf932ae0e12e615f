//go:build unix

// Command cluster runs a cluster of real processes on loopback: three members of etcd and three nodes of gec, with
// proxies of its own between them. It shows the tour, throws random faults at it and checks what clients saw with
// a linearizability checker, and measures how fast a change spreads. Everything that it starts ends with it.
//
// Where to start: [tour], [storm], [spread] and [roll] are what it does.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var (
		gec       = flag.String("gec", "bin/gec", "the gec `binary`")
		previous  = flag.String("previous", "", "the gec `binary` that nodes start with, where it is another one")
		etcd      = flag.String("etcd", "bin/etcd", "the etcd `binary`")
		schedules = flag.Int("schedules", 20, "`number` of random schedules of a storm")
		seed      = flag.Uint64("seed", uint64(time.Now().UnixNano()), "`seed` of a storm")
		changes   = flag.Int("changes", 1000, "`number` of changes that are measured")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, flag.Arg(0), *gec, cmp.Or(*previous, *gec), *etcd, *schedules, *changes, *seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		stop()
		os.Exit(1) //nolint:gocritic // what it started is ended by run
	}
}

func run(ctx context.Context, what, gec, first, etcd string, schedules, changes int, seed uint64) (err error) {
	var flags []string
	switch what {
	case "storm":
		flags = stormFlags()
	case "tour":
		flags = []string{"--authoring-without-keys"}
	}
	lab, err := newLab(ctx, first, etcd, flags...)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			lab.keep, err = true, fmt.Errorf("%w\nits logs and folders stay in %s", err, lab.dir)
		}
		lab.close()
	}()
	switch what {
	case "tour":
		return tour(ctx, lab)
	case "storm":
		return storm(ctx, lab, schedules, seed, true, func(line string) { fmt.Println(line) })
	case "spread":
		if err := cost(ctx, lab, gec); err != nil {
			return err
		}
		return spread(ctx, lab, changes)
	case "roll":
		return roll(ctx, lab, gec, first)
	}
	return fmt.Errorf("%q is none of tour, storm, spread, roll", what)
}
