package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the command that says what was built.
func (p Process) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of gec and what it was built from",
		Args:  arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(p.Stdout, "gec %s %s %s/%s\n", p.release(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// release names the build: the version set by the linker, else the commit that the Go tool recorded,
// else "devel".
func (p Process) release() string {
	if p.Version != "" {
		return p.Version
	}
	name := "devel"
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			return v
		}
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				name += "-" + setting.Value[:min(12, len(setting.Value))]
			}
		}
	}
	return name
}
