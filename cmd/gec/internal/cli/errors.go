package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gec/bundles"
	"gec/cmd/gec/internal/config"
)

// The exit codes of the process.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is returned when the command line or the settings cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usage makes a usageError of a text.
func usage(format string, values ...any) error {
	return &usageError{fmt.Errorf(format, values...)}
}

// fileFaults are the faults of one document, with the name of the file that they are in.
type fileFaults struct {
	file   string
	faults bundles.Faults
}

func (e *fileFaults) Error() string {
	return fmt.Sprintf("%s: %s", e.file, count(len(e.faults), "fault"))
}

func (e *fileFaults) Unwrap() error { return e.faults }

// report prints an error and returns the exit code that it asks for.
func (p Process) report(cmd *cobra.Command, err error) int {
	if err == nil {
		return exitDone
	}
	for _, single := range each(err) {
		var inFile *fileFaults
		if errors.As(single, &inFile) {
			for _, f := range inFile.faults {
				fmt.Fprintln(p.Stderr, faultLine(inFile.file, f))
			}
		}
		fmt.Fprintf(p.Stderr, "gec: %v\n", single)
	}
	var misused *usageError
	if errors.As(err, &misused) {
		fmt.Fprintf(p.Stderr, "Run '%s --help' for what it takes.\n", cmd.CommandPath())
		return exitUsage
	}
	return exitFailed
}

// failures are the errors of several files.
type failures []error

func (f failures) Error() string   { return errors.Join(f...).Error() }
func (f failures) Unwrap() []error { return f }

// each returns the errors that are printed one by one.
func each(err error) []error {
	var files failures
	var settings *config.Error
	switch {
	case errors.As(err, &files):
		return files
	case errors.As(err, &settings):
		return settings.Faults
	}
	return []error{err}
}

// faultLine writes a fault the way compilers do: file:line:column path: reason — fix, with the parts
// that are known.
func faultLine(file string, f bundles.Fault) string {
	place := file
	if f.Line > 0 {
		place += fmt.Sprintf(":%d:%d", f.Line, f.Column)
	}
	if f.Path != "" {
		place += " " + f.Path
	}
	line := place + ": " + f.Reason
	if f.Fix != "" {
		line += " — " + f.Fix
	}
	return line
}

// flagError words the errors of the parser of flags, with the nearest flag for an unknown one.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return &usageError{err}
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	slices.Sort(known)
	return usage("%w%s", err, config.DidYouMean(unknown.GetSpecifiedName(), known))
}

// unknownCommand refuses arguments of the root command, with the nearest command.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, c := range cmd.Commands() {
		known = append(known, c.Name())
	}
	return usage("there is no command %q%s", args[0], config.DidYouMean(args[0], known))
}

// arguments makes usage errors of wrong numbers of arguments, which say what they are.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage("it does not take %s: write '%s %s'", count(len(args), "argument"), cmd.Parent().CommandPath(), cmd.Use)
		}
		return nil
	}
}

// helpTopic refuses help on a command that there is not.
func helpTopic(help *cobra.Command, args []string) error {
	cmd, rest, err := help.Root().Find(args)
	if err != nil {
		return &usageError{err}
	}
	return unknownCommand(cmd, rest)
}

// count words a number of things: "1 bundle", "2 bundles".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
