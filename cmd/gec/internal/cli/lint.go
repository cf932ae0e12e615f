package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/lint"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
)

// linting is one call of the lint command.
type linting struct {
	format, as, psp, mend string
	rules                 []string
}

// print writes the findings as asked; version is that of the build.
func (l *linting) print(w io.Writer, findings []lint.Finding, file, version string) error {
	switch l.as {
	case "json":
		return lint.WriteJSON(w, findings)
	case "sarif":
		return lint.WriteSARIF(w, findings, file, version)
	}
	return lint.WriteText(w, findings)
}

// lint is the command that says what an author would want to know of bundles, without storing anything
// (A10).
func (p Process) lint() *cobra.Command {
	var l linting
	cmd := &cobra.Command{
		Use:   "lint [--format FORMAT] [FILE]",
		Short: "Say what is odd about bundles: gaps, holes, overlaps, fees that never win",
		Long: "Looks at the bundles of a file, or of the catalogue of the data folder where no file is named, and says\n" +
			"what their author would want to know. Stores nothing. Exits with 1 when there is an error among the findings.\n\n" +
			"Rules: " + strings.Join(ruleNames(), ", ") + ".",
		Example: "  gec lint --format feelist ../shared/data/elenco-servizi.json --rule hole\n" +
			"  gec lint bundles.yaml --mend mended.yaml\n" +
			"  gec lint --data .data --psp SELBIT2B --output-format sarif",
		Args: arguments(cobra.MaximumNArgs(1)),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&l.format, "format", string(format.Native), "`format` of the file: "+strings.Join(formatNames(), ", "))
	flags.StringVar(&l.as, "output-format", "text", "`how` the findings are written: text, json, sarif")
	flags.StringVar(&l.psp, "psp", "", "only bundles of this `PSP`")
	flags.StringSliceVar(&l.rules, "rule", nil, "only findings of these `rules`; none: of all")
	flags.StringVar(&l.mend, "mend", "", "`file` to write the bundles to, with the holes between their bands closed")
	config.Register(flags, false)
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		if err := l.validate(); err != nil {
			return &usageError{err}
		}
		c, err := p.settings(cmd)
		if err != nil {
			return err
		}
		return l.run(cmd.Context(), p, c, files)
	}
	return cmd
}

func (l *linting) validate() error {
	if !slices.Contains(formatNames(), l.format) {
		return fmt.Errorf("--format: %q is none of %s", l.format, strings.Join(formatNames(), ", "))
	}
	if !slices.Contains([]string{"text", "json", "sarif"}, l.as) {
		return fmt.Errorf("--output-format: %q is none of text, json, sarif", l.as)
	}
	for _, rule := range l.rules {
		if !slices.Contains(ruleNames(), rule) {
			return fmt.Errorf("--rule: %q is none of %s", rule, strings.Join(ruleNames(), ", "))
		}
	}
	return nil
}

// run reads the bundles, prints the findings, and writes the mended bundles where asked to.
func (l *linting) run(ctx context.Context, p Process, c config.Config, files []string) error {
	d, name, err := l.document(ctx, p, c, files)
	if err != nil {
		return err
	}
	options := lint.Options{PSP: l.psp, Subscribed: subscribed(&d)}
	for _, rule := range l.rules {
		options.Rules = append(options.Rules, lint.Rule(rule))
	}
	findings := lint.Check(d.Bundles, d.Settings, today(), options)
	if err := l.print(p.Stdout, findings, name, p.release()); err != nil {
		return err
	}
	if l.mend != "" {
		if err := l.write(p, d, findings); err != nil {
			return err
		}
	}
	faulty := 0
	for _, f := range findings {
		if f.Severity == lint.Error {
			faulty++
		}
	}
	if faulty > 0 {
		return fmt.Errorf("%s, %s among them", count(len(findings), "finding"), count(faulty, "error"))
	}
	return nil
}

// document reads the file, or the catalogue where none is named.
func (l *linting) document(ctx context.Context, p Process, c config.Config, files []string) (d bundles.Document, name string, err error) {
	if len(files) == 0 {
		err = p.withFolder(ctx, c, func(folder *node.Folder) error {
			d, err = folder.Export(ctx, node.Owner(), folder.Current().Revision())
			return err
		})
		return d, "", err
	}
	r := &reading{stdin: p.Stdin}
	text, err := r.text(files[0])
	if err != nil {
		return d, "", err
	}
	d, _, err = format.Parse(format.Name(l.format), text, format.ReadOptions{Past: true})
	var faults bundles.Faults
	if errors.As(err, &faults) {
		err = failures{&fileFaults{displayed(files[0]), faults}}
	}
	return d, displayed(files[0]), err
}

// write writes the mended bundles in the format of the file that they came from.
func (l *linting) write(p Process, d bundles.Document, findings []lint.Finding) error {
	mended, changed := lint.Mend(d.Bundles, findings)
	d.Bundles = mended
	if d.Settings == nil && l.format != string(format.Native) {
		return errors.New("--mend: the file states no settings, without which it cannot be written in its format")
	}
	yaml := strings.HasSuffix(l.mend, ".yaml") || strings.HasSuffix(l.mend, ".yml")
	err := writeFile(l.mend, func(w io.Writer) error {
		return format.Write(format.Name(l.format), w, d, format.WriteOptions{YAML: yaml, Today: today()})
	})
	if err == nil {
		fmt.Fprintf(p.Stderr, "%s: %s with %s mended\n", l.mend, count(len(mended), "bundle"), count(changed, "band"))
	}
	return err
}

// subscribed tells the bundles of a document that have subscriptions.
func subscribed(d *bundles.Document) func(string) bool {
	with := map[string]bool{}
	for i := range d.Subscriptions {
		with[d.Subscriptions[i].BundleID] = true
	}
	return func(id string) bool { return with[id] }
}

func ruleNames() (names []string) {
	for _, r := range lint.Rules() {
		names = append(names, string(r))
	}
	return names
}
