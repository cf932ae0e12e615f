package cli

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/lint"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
	"gec/cmd/gec/internal/text"
)

// warningsShown is how many warnings are printed when not all are asked for.
const warningsShown = 10

// importing is one call of the import command.
type importing struct {
	process                     Process
	cmd                         *cobra.Command
	format, mode, by, key       string
	dryRun, closeHoles, verbose bool
	rows                        bool
	lenient, past               bool
}

// importFiles is the command that reads documents into the catalogue.
func (p Process) importFiles() *cobra.Command {
	i := &importing{process: p}
	cmd := &cobra.Command{
		Use:   "import --format FORMAT FILE…",
		Short: "Read bundles from files into the catalogue, all or nothing",
		Long: "Reads bundles from files into the catalogue of a data folder. Several files are one change: all of them\n" +
			"or nothing. '-' is standard input. Every fault is printed with its file, line, column and field.\n\n" +
			"Formats: native (JSON or YAML), csv (one row a bundle), snapshot (the platform's catalogue, taken as it\n" +
			"is), feelist (the published fee list, in euro), cdi (XML; replaces earlier CDIs of the same PSP).",
		Example: "  gec import --format feelist ../shared/data/elenco-servizi.json\n" +
			"  gec import --dry-run bundles.yaml more.yaml",
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	cmd.Flags().SortFlags = false
	flags := cmd.Flags()
	flags.StringVar(&i.format, "format", string(format.Native), "`format` of the files: "+strings.Join(formatNames(), ", "))
	flags.StringVar(&i.mode, "mode", "", "`what` becomes of bundles that are not in the files: "+strings.Join(modeNames(), ", ")+";\nnone: as the format is meant")
	flags.StringVar(&i.by, "by", currentUser(), "`name` that the change is recorded with")
	flags.StringVar(&i.key, "idempotency-key", "", "`key` of the change: with a key that was used before nothing is done")
	flags.BoolVar(&i.dryRun, "dry-run", false, "check and report, and store nothing")
	flags.BoolVar(&i.closeHoles, "close-holes", false, "feelist: bands that start a cent above the one below adjoin it")
	flags.BoolVar(&i.past, "past", false, "cdi: take one whose validity has begun, as for a migration")
	flags.BoolVar(&i.lenient, "lenient", false, "take the files as they are, as for a migration: only contradictions are faults, and a bundle\n"+
		"without a beginning has none; snapshot and feelist are taken so unless it is false")
	flags.BoolVar(&i.rows, "rows", false, "print what becomes of each bundle, with the line that it begins on")
	flags.BoolVar(&i.verbose, "verbose", false, "print every warning")
	config.Register(cmd.Flags(), false)
	i.cmd = cmd
	cmd.RunE = func(_ *cobra.Command, files []string) error { return i.run(files) }
	return cmd
}

// run reads the files, imports them as one document, and prints what became of it.
func (i *importing) run(files []string) error {
	c, err := i.process.settings(i.cmd)
	if err != nil {
		return err
	}
	options, err := i.options()
	if err != nil {
		return &usageError{err}
	}
	if err := present(files); err != nil {
		return err
	}
	open := node.Open
	if i.dryRun {
		open = node.OpenForTrial
	}
	folder, err := open(i.cmd.Context(), c, i.process.warnings())
	if err != nil {
		return err
	}
	report, warnings, err := i.change(folder, files, options)
	if closeErr := folder.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	i.warn(warnings)
	_, err = fmt.Fprintln(i.process.Stdout, reportLine(report))
	return err
}

// present notices files that are not there before anything is opened.
func present(files []string) error {
	var missing failures
	for _, file := range files {
		if file == stdinFile {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			missing = append(missing, err)
		}
	}
	if len(missing) > 0 {
		return missing
	}
	return nil
}

// change makes the change of an open catalogue.
func (i *importing) change(folder *node.Folder, files []string, options bundles.ImportOptions) (bundles.CDIReport, []string, error) {
	r := &reading{
		ctx: i.cmd.Context(), catalogue: folder.Catalogue, format: format.Name(i.format), lenient: options.Lenient,
		closeHoles: i.closeHoles, past: i.past, stdin: i.process.Stdin, settings: folder.Current().Settings(),
	}
	if err := r.read(files); err != nil {
		return bundles.CDIReport{}, nil, err
	}
	shown := newProgress(i.process.Stderr, width(i.process.Stderr) > 0, time.Now)
	options.Progress = shown.report
	var outcomes []bundles.Outcome
	options.Row = func(_ int, o bundles.Outcome) { outcomes = append(outcomes, o) }
	report, err := i.store(folder.Catalogue, r.documents.document, options)
	shown.end()
	if i.rows && err == nil {
		err = i.print(r, outcomes)
	}
	if i.dryRun && err == nil {
		i.lint(folder, r.documents.document)
	}
	var faults bundles.Faults
	if errors.As(err, &faults) {
		var all failures
		for _, f := range r.placed(faults) {
			all = append(all, f)
		}
		err = all
	}
	for _, f := range r.placed(report.Warnings) {
		for _, w := range f.faults {
			r.warn(f.file, w)
		}
	}
	return report, r.warnings, err
}

// print writes what became of each bundle, where in the files it is and whose.
func (i *importing) print(r *reading, outcomes []bundles.Outcome) error {
	places := make([]bundles.Fault, len(outcomes))
	for n := range places {
		places[n].Path = bundles.BundlePath(n)
	}
	columns := []text.Column{{Title: "FILE", ShrinkTo: 8}, {Title: "LINE", Right: true}, {Title: "BUNDLE", ShrinkTo: 12}, {Title: "PSP", ShrinkTo: 8}, {Title: "OUTCOME"}}
	rows := make([][]string, 0, len(outcomes))
	for _, f := range r.placed(places) { // in the order of the files, each in that of its bundles
		for _, place := range f.faults {
			b := &r.documents.document.Bundles[len(rows)]
			rows = append(rows, []string{f.file, strconv.Itoa(place.Line), b.ID, b.PSP, outcomes[len(rows)].String()})
		}
	}
	return text.Table(i.process.Stdout, width(i.process.Stdout), columns, rows)
}

// lintShown is how many findings a dry run prints.
const lintShown = 20

// lint says what would be odd about the bundles (A10).
func (i *importing) lint(folder *node.Folder, d bundles.Document) {
	settings := folder.Current().Settings()
	if d.Settings != nil {
		settings = d.Settings
	}
	findings := lint.CheckDrafts(d.Bundles, slices.Collect(folder.Current().Bundles()), settings, today())
	for n, f := range findings {
		if n == lintShown {
			fmt.Fprintf(i.process.Stderr, "and %d more; gec lint has them all\n", len(findings)-n)
			break
		}
		fmt.Fprintf(i.process.Stderr, "%s %s: %s %s — %s\n", f.Severity, f.Rule, text.Printable(f.Bundle), text.Printable(f.Message), text.Printable(f.Fix))
	}
}

// store imports the document as its format is meant to be.
func (i *importing) store(catalogue *bundles.Catalogue, d bundles.Document, o bundles.ImportOptions) (bundles.CDIReport, error) {
	caller := bundles.Operator(i.by)
	if format.Name(i.format) == format.CDI {
		return catalogue.ImportCDI(i.cmd.Context(), caller, d, bundles.CDIOptions{ImportOptions: o, Past: i.past})
	}
	report, err := catalogue.Import(i.cmd.Context(), caller, d, o)
	return bundles.CDIReport{Report: report}, err
}

// options returns what the flags ask for, on top of what the format is meant for.
func (i *importing) options() (bundles.ImportOptions, error) {
	name := format.Name(i.format)
	if !slices.Contains(formatNames(), i.format) {
		return bundles.ImportOptions{}, fmt.Errorf("--format: %q is none of %s", i.format, strings.Join(formatNames(), ", "))
	}
	if i.closeHoles && name != format.FeeList {
		return bundles.ImportOptions{}, fmt.Errorf("--close-holes is for --format %s only", format.FeeList)
	}
	if i.past && name != format.CDI {
		return bundles.ImportOptions{}, fmt.Errorf("--past is for --format %s only", format.CDI)
	}
	if i.mode != "" && name == format.CDI {
		return bundles.ImportOptions{}, errors.New("--mode: a CDI says itself what it replaces")
	}
	options := format.ImportDefaults(name)
	options.DryRun, options.IdempotencyKey, options.Operation = i.dryRun, i.key, "import "+i.format
	if i.cmd.Flags().Changed("lenient") {
		options.Lenient = i.lenient
	}
	if i.mode == "" {
		return options, nil
	}
	for _, mode := range modes {
		if mode.name != i.mode {
			continue
		}
		if mode.mode == bundles.ImportReplaceOrigin && options.Origin == "" {
			return options, fmt.Errorf("--mode %s: bundles of format %s have no origin of their own: use merge or replace-all", i.mode, i.format)
		}
		options.Mode = mode.mode
		return options, nil
	}
	return options, fmt.Errorf("--mode: %q is none of %s", i.mode, strings.Join(modeNames(), ", "))
}

// warn prints warnings, the first ones unless all are asked for.
func (i *importing) warn(warnings []string) {
	shown := warnings
	if !i.verbose {
		shown = warnings[:min(len(warnings), warningsShown)]
	}
	for _, w := range shown {
		fmt.Fprintln(i.process.Stderr, "warning: "+w)
	}
	if rest := len(warnings) - len(shown); rest > 0 {
		fmt.Fprintf(i.process.Stderr, "%s, %d of them not shown: --verbose shows all\n", count(len(warnings), "warning"), rest)
	}
}

// reportLine says in one line what an import did.
func reportLine(r bundles.CDIReport) string {
	line := fmt.Sprintf("revision %d: %s (%d added, %d changed, %d removed, %d unchanged), %s", r.Revision,
		count(r.Bundles, "bundle"), r.Added, r.Changed, r.Removed, r.Unchanged, count(r.Subscriptions, "subscription"))
	if r.Ended > 0 {
		line += fmt.Sprintf(", %s ended", count(r.Ended, "bundle"))
	}
	switch {
	case r.DryRun:
		return line + "; dry run, nothing stored"
	case r.Repeated:
		return line + "; this change was made before, nothing stored"
	}
	return line
}

// modes are the names of what becomes of bundles that are not in a document.
var modes = [...]struct {
	name string
	mode bundles.ImportMode
}{
	{"merge", bundles.ImportMerge},
	{"replace-origin", bundles.ImportReplaceOrigin},
	{"replace-all", bundles.ImportReplaceAll},
}

func modeNames() []string {
	var names []string
	for _, m := range modes {
		names = append(names, m.name)
	}
	return names
}

func formatNames() []string {
	var names []string
	for _, name := range format.Names() {
		names = append(names, string(name))
	}
	return names
}

// currentUser names who runs the command, for the record of a change.
func currentUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "unknown"
}
