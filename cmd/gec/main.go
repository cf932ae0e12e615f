// Command gec serves and keeps the fee bundles of the pagoPA platform: run "gec help".
//
// This file is wiring: the operating system on one side, [gec/cmd/gec/internal/cli] on the other.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"gec/cmd/gec/internal/cli"
)

// version is set by the linker, as in the Makefile; empty in a plain go build.
var version string

// exitKilled is the exit code of a process that is told to stop again while it stops, as shells know it of SIGTERM.
const exitKilled = 128 + int(syscall.SIGTERM)

func main() {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		stop()
		<-signals // a second one ends the process at once
		os.Exit(exitKilled)
	}()
	os.Exit(cli.Run(ctx, cli.Process{
		Args: os.Args[1:], Environ: os.Environ(), Version: version,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}))
}
