package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gec/bundles/format"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
	"gec/engine"
)

// exporting is one call of the export command.
type exporting struct {
	format, out string
	// current asks for the current revision; else revision or, where not zero, at names it.
	current  bool
	revision int64
	at       time.Time
	yaml     bool
}

// export is the command that writes a revision of the catalogue as a document.
func (p Process) export() *cobra.Command {
	var e exporting
	var at string
	cmd := &cobra.Command{
		Use:     "export [--format FORMAT] [--revision N | --at INSTANT] [-o FILE]",
		Short:   "Write the catalogue, as it is or as it stood, in a format that import reads",
		Example: "  gec export -o catalogue.json\n  gec export --at 2026-11-21T10:30 --format feelist",
		Args:    arguments(cobra.NoArgs),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&e.format, "format", string(format.Native), "`format`: "+strings.Join(formatNames(), ", "))
	cmd.Flags().Int64Var(&e.revision, "revision", 0, "the catalogue as of this `revision`; none: the current one")
	cmd.Flags().StringVar(&at, "at", "", "the catalogue as it stood at this `instant`, as 2026-11-21T10:30 in Rome's time")
	cmd.Flags().StringVarP(&e.out, "output", "o", "", "`file` to write; none: standard output")
	cmd.Flags().BoolVar(&e.yaml, "yaml", false, "native: as YAML; a file that ends in .yaml or .yml is YAML anyway")
	config.Register(cmd.Flags(), false)
	cmd.RunE = func(*cobra.Command, []string) error {
		if !slices.Contains(formatNames(), e.format) {
			return usage("--format: %q is none of %s", e.format, strings.Join(formatNames(), ", "))
		}
		if at != "" && cmd.Flags().Changed("revision") {
			return usage("--revision and --at are two ways to name a revision: choose one")
		}
		if at != "" {
			var err error
			if e.at, err = ask.ParseInstant(at); err != nil {
				return usage("--at: %w", err)
			}
		}
		e.current = at == "" && !cmd.Flags().Changed("revision")
		c, err := p.settings(cmd)
		if err != nil {
			return err
		}
		return p.withFolder(cmd.Context(), c, func(folder *node.Folder) error { return e.run(cmd.Context(), p, folder) })
	}
	return cmd
}

func (e *exporting) run(ctx context.Context, p Process, folder *node.Folder) error {
	revision, today := e.revision, time.Now()
	switch {
	case e.current:
		revision = folder.Current().Revision()
	case !e.at.IsZero():
		snapshot, err := folder.AsOf(ctx, e.at)
		if err != nil {
			return err
		}
		revision, today = snapshot.Revision(), e.at
	}
	if revision == 0 {
		return errors.New("revision 0 is the empty catalogue: there is nothing to export")
	}
	document, err := folder.Export(ctx, node.Owner(), revision)
	if err != nil {
		return fmt.Errorf("revision %d: %w", revision, err)
	}
	extension := filepath.Ext(e.out)
	options := format.WriteOptions{YAML: e.yaml || extension == ".yaml" || extension == ".yml", Today: engine.LocalAt(today).Date}
	write := func(w io.Writer) error { return format.Write(format.Name(e.format), w, document, options) }
	if e.out == "" || e.out == stdinFile {
		return write(p.Stdout)
	}
	return writeFile(e.out, write)
}

// writeFile writes a file that is there whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone by then unless something failed
	err = write(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}
