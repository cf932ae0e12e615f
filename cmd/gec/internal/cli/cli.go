// Package cli is the command line of gec: one file per command, each of which reads its flags, calls
// the catalogue or a server, and prints.
//
// It refuses to decide anything: rules are the engine's, checks the catalogue's, bytes on the wire the
// api's. Exit codes: 0 done, 1 it could not be done, 2 it was asked wrongly.
//
// Where to start: [Run].
package cli

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/text"
)

// Process is what the command knows of the process that it runs in.
type Process struct {
	// Args are the arguments without the name of the command.
	Args []string
	// Environ are the variables of the environment, as [os.Environ] gives them.
	Environ []string
	// Version is the released version, empty when the build names none.
	Version string
	Stdin   io.Reader
	// Stdout gets results, Stderr everything else. Windows are measured when they are files.
	Stdout, Stderr io.Writer
}

// Run carries out one command line and returns the exit code of the process. A server runs until ctx
// is done.
func Run(ctx context.Context, p Process) int {
	root := p.command()
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	command, err := root.ExecuteContextC(ctx)
	return p.report(command, err)
}

// command builds the tree of commands.
func (p Process) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "gec",
		Short: "Fee bundles and fee quotes for payments to Italian public bodies",
		Long: "gec keeps the fee bundles of payment providers (PSPs) and answers, for every payment, which fee each\n" +
			"of them asks: an open implementation of pagoPA's Gestione evoluta delle commissioni.",
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		p.serve(), p.importFiles(), p.export(), p.quote(), p.explain(), p.lint(), p.whatIf(),
		p.bundles(), p.offers(), p.requests(), p.subscriptions(), p.revisions(), p.keys(), p.receipts(),
		p.backup(), p.restore(), p.verify(), p.migrate(), p.journal(), p.config(), p.version(),
	)
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = helpTopic
	}
	return root
}

// settings loads the settings in force for a command on which config.Register was called.
func (p Process) settings(cmd *cobra.Command) (config.Config, error) {
	c, _, err := config.Load(cmd.Flags(), p.Environ)
	if err != nil {
		return c, &usageError{err}
	}
	return c, nil
}

// width returns the columns of the window that w writes to; 0 when it has no edge.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		return text.Width(f)
	}
	return 0
}
