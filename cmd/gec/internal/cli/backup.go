package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gec/bundles/backup"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
)

// backingUp is one call of the backup command.
type backingUp struct {
	out, from, goOn string
	after           int64
}

// backup is the command that writes the history of the catalogue to a file.
func (p Process) backup() *cobra.Command {
	var b backingUp
	cmd := &cobra.Command{
		Use:   "backup -o FILE [--from URL] [--after N | --continue FILE]",
		Short: "Write every revision of the catalogue, or those since the last backup, to one file",
		Long: "Writes every revision of the catalogue with its rows and hashes to one file, which 'gec restore' makes a\n" +
			"data folder of. With --from it asks a running server at its operator's address (--ops); quotes and changes\n" +
			"go on meanwhile. Without, it reads a data folder that no server has open.",
		Example: "  gec backup --from http://127.0.0.1:9100 -o monday.gec\n" +
			"  gec backup --from http://127.0.0.1:9100 --continue monday.gec -o tuesday.gec",
		Args: arguments(cobra.NoArgs),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&b.out, "output", "o", "", "`file` to write; - is standard output")
	cmd.Flags().StringVar(&b.from, "from", "", "operator's `URL` of a running server")
	cmd.Flags().Int64Var(&b.after, "after", 0, "leave out the revisions up to and with this `revision`")
	cmd.Flags().StringVar(&b.goOn, "continue", "", "go on where this earlier backup `file` ends")
	config.Register(cmd.Flags(), false)
	cmd.RunE = func(*cobra.Command, []string) error {
		switch {
		case b.out == "":
			return usage("--output is missing: name the file to write, or - for standard output")
		case b.goOn != "" && cmd.Flags().Changed("after"):
			return usage("--after and --continue are two ways to say the same: choose one")
		}
		c, err := p.settings(cmd)
		if err != nil {
			return err
		}
		return b.run(cmd.Context(), p, c)
	}
	return cmd
}

func (b *backingUp) run(ctx context.Context, p Process, c config.Config) error {
	if b.goOn != "" {
		earlier, err := checkBackup(ctx, b.goOn)
		if err != nil {
			return fmt.Errorf("%s: %w", b.goOn, err)
		}
		b.after = earlier.Through
	}
	write := func(out io.Writer) error {
		if b.from != "" {
			return b.fetch(ctx, out)
		}
		return p.withFolder(ctx, c, func(folder *node.Folder) error {
			_, err := folder.Backup(ctx, b.after, out)
			return err
		})
	}
	if b.out == stdinFile {
		return write(p.Stdout)
	}
	// What was written is read again before it gets its name.
	var summary backup.Summary
	err := writeFile(b.out, func(out io.Writer) error {
		if err := write(out); err != nil {
			return err
		}
		file, ok := out.(*os.File)
		if !ok {
			return nil
		}
		if err := file.Sync(); err != nil {
			return err
		}
		_, err := file.Seek(0, io.SeekStart)
		if err == nil {
			summary, err = backup.Check(ctx, file)
		}
		return err
	})
	if err == nil {
		fmt.Fprintf(p.Stdout, "%s: %s\n", b.out, told(summary))
	}
	return err
}

// fetch asks a running server.
func (b *backingUp) fetch(ctx context.Context, out io.Writer) error {
	url := strings.TrimSuffix(b.from, "/") + "/backup?after=" + strconv.FormatInt(b.after, 10)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usage("--from: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("%s answers %s: %s", url, response.Status, strings.TrimSpace(string(text)))
	}
	_, err = io.Copy(out, response.Body)
	return err
}

func told(s backup.Summary) string {
	return fmt.Sprintf("revisions %d to %d, %s, %d bytes, SHA-256 of the history %x", s.After+1, s.Through, count(int(s.Rows), "row"), s.Bytes, s.SHA256)
}

// checkBackup reads a backup file to its end.
func checkBackup(ctx context.Context, name string) (backup.Summary, error) {
	file, err := os.Open(name)
	if err != nil {
		return backup.Summary{}, err
	}
	defer file.Close()
	return backup.Check(ctx, file)
}

// restore is the command that makes a data folder of backups.
func (p Process) restore() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore --data FOLDER FULL [INCREMENTAL…]",
		Short: "Make a data folder of a full backup and the incremental ones after it",
		Long: "Makes a new data folder of a full backup and the incremental ones after it, in order. Every revision is\n" +
			"held against its hash; a file that was cut or changed is refused, and then there is no folder.",
		Example: "  gec restore --data /var/lib/gec.new monday.gec tuesday.gec",
		Args:    arguments(cobra.MinimumNArgs(1)),
	}
	cmd.Flags().SortFlags = false
	config.Register(cmd.Flags(), false)
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		c, err := p.settings(cmd)
		if err != nil {
			return err
		}
		streams := make([]node.Stream, len(files))
		for i, name := range files {
			streams[i] = node.Stream{Name: displayed(name), Open: func() (io.ReadCloser, error) {
				if name == stdinFile {
					return io.NopCloser(p.Stdin), nil
				}
				return os.Open(name)
			}}
		}
		summary, err := node.Restore(cmd.Context(), c.DataDir, streams, p.warnings())
		if err == nil {
			fmt.Fprintf(p.Stdout, "%s: revision %d, SHA-256 of the history %x\n", c.DataDir, summary.Through, summary.SHA256)
		}
		return err
	}
	return cmd
}

// verify is the command that reads all of a data folder, or of backups, and says whether it is as written.
func (p Process) verify() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [BACKUP…]",
		Short: "Read a data folder, or backups, to the last byte and check all of it",
		Long: "Reads everything in a data folder: every revision against the chain of hashes, every row through its\n" +
			"decoder, and the current catalogue against the rules of authoring. With names of backups it reads those.",
		Args: arguments(cobra.ArbitraryArgs),
	}
	cmd.Flags().SortFlags = false
	config.Register(cmd.Flags(), false)
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		c, err := p.settings(cmd)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return p.withFolder(cmd.Context(), c, func(folder *node.Folder) error { return p.verifyFolder(cmd.Context(), folder) })
		}
		var faulty failures
		for _, name := range files {
			if at, err := os.Stat(name); err == nil && at.IsDir() {
				return usage("%s is a folder, not a backup: write --data %s", name, name)
			}
			summary, err := checkBackup(cmd.Context(), name)
			if err != nil {
				faulty = append(faulty, fmt.Errorf("%s: %w", name, err))
				continue
			}
			fmt.Fprintf(p.Stdout, "%s: %s\n", name, told(summary))
		}
		if len(faulty) > 0 {
			return faulty
		}
		return nil
	}
	return cmd
}

func (p Process) verifyFolder(ctx context.Context, folder *node.Folder) error {
	v, err := folder.Verify(ctx)
	if err != nil {
		return err
	}
	const shown = 20
	for i, w := range v.Warnings {
		if i == shown {
			fmt.Fprintf(p.Stderr, "warning: and %d more\n", len(v.Warnings)-shown)
			break
		}
		fmt.Fprintln(p.Stderr, "warning: "+faultLine("catalogue", w))
	}
	for _, f := range v.Faults {
		fmt.Fprintln(p.Stderr, faultLine("catalogue", f))
	}
	if len(v.Faults) > 0 {
		return errors.New("the catalogue breaks its own rules: " + count(len(v.Faults), "fault"))
	}
	fmt.Fprintf(p.Stdout, "revision %d is whole: %s of all revisions, %s, %s, %s; %s\n", v.Revision, count(v.Rows, "row"),
		count(v.Bundles, "bundle"), count(v.Subscriptions, "subscription"), count(v.Methods, "payment method"), count(len(v.Warnings), "warning"))
	return nil
}
