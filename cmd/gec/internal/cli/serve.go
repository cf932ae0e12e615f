package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
)

// serve is the command that runs a node.
func (p Process) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer quotes over HTTP and gRPC from a data folder",
		Long: "Answers quotes over HTTP and gRPC from a data folder. Prints one line on stdout when it does:\n\n" +
			"  ready http=127.0.0.1:8080 grpc=127.0.0.1:9090 revision=1 bundles=513\n\n" +
			"The log goes to stderr. SIGTERM or Ctrl-C stops it once the calls under way are answered; a second one\n" +
			"ends it at once.",
		Example: "  gec serve --sample\n  gec serve --data /var/lib/gec --http 127.0.0.1:0 --grpc 127.0.0.1:0",
		Args:    arguments(cobra.NoArgs),
	}
	cmd.Flags().SortFlags = false
	config.Register(cmd.Flags(), true)
	cmd.RunE = func(*cobra.Command, []string) error {
		c, err := p.settings(cmd)
		if err != nil {
			return err
		}
		log := node.NewLog(c, p.Stderr)
		for _, line := range config.Unused(p.Environ) {
			log.Warn(line)
		}
		err = node.Serve(cmd.Context(), c, p.release(), log, func(r node.Ready) { fmt.Fprintln(p.Stdout, r) })
		var exposed *node.ExposedError
		switch {
		case errors.As(err, &exposed):
			return &usageError{err}
		case cmd.Context().Err() != nil && errors.Is(err, context.Canceled):
			return nil // told to stop before it had begun
		}
		return err
	}
	return cmd
}
