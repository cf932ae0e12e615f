package cli

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/text"
)

// config is the command that prints the settings in force.
func (p Process) config() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print every setting in force and where its value comes from",
		Long: "Prints every setting in force and where its value comes from. A flag overrules the environment, that\n" +
			"the file named by --config, and that the default.",
		Args: arguments(cobra.NoArgs),
	}
	cmd.Flags().SortFlags = false
	config.Register(cmd.Flags(), true)
	cmd.RunE = func(*cobra.Command, []string) error {
		_, values, err := config.Load(cmd.Flags(), p.Environ)
		if err != nil {
			return &usageError{err}
		}
		for _, line := range config.Unused(p.Environ) {
			fmt.Fprintln(p.Stderr, line)
		}
		rows := make([][]string, len(values))
		for i, v := range values {
			rows[i] = []string{v.Name, cmp.Or(v.Text, "-"), v.Source}
		}
		columns := []text.Column{{Title: "SETTING"}, {Title: "VALUE", ShrinkTo: 16}, {Title: "FROM", ShrinkTo: 16}}
		return text.Table(p.Stdout, width(p.Stdout), columns, rows)
	}
	return cmd
}
