package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
)

// migrate is the command that moves a catalogue between a data folder and etcd.
func (p Process) migrate() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Move the catalogue from a data folder to etcd, or back",
		Long: "Moves the catalogue from a data folder to etcd (--to etcd) or from etcd to a data folder (--to badger),\n" +
			"with every revision, its record and its hash. It can be run again: it goes on where it was.",
		Example: "  gec migrate --to etcd --data /var/lib/gec --etcd-endpoints http://10.0.0.1:2379,http://10.0.0.2:2379\n" +
			"  gec migrate --to badger --data ./copy --etcd-endpoints http://10.0.0.1:2379",
		Args: arguments(cobra.NoArgs),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&to, "to", "", "where to: etcd or badger")
	config.Register(cmd.Flags(), false)
	config.RegisterEtcd(cmd.Flags())
	cmd.RunE = func(*cobra.Command, []string) error {
		if to != "etcd" && to != "badger" {
			return &usageError{fmt.Errorf("--to is %q: use etcd or badger", to)}
		}
		c, err := p.settings(cmd)
		if err != nil {
			return err
		}
		last, err := node.Migrate(cmd.Context(), c, to == "etcd", node.NewLog(c, p.Stderr), func(int64) {})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.Stdout, "revision %d, sha256 %x\n", last.Revision, last.SHA256)
		return err
	}
	return cmd
}
