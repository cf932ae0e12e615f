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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Run(ctx, cli.Process{
		Args: os.Args[1:], Environ: os.Environ(), Version: version,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}))
}
