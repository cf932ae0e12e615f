package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gec/api/marketplace"
	"gec/api/rpc"
	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/lint"
	"gec/cmd/gec/internal/text"
)

// bundles is the group of commands on a PSP's bundles.
func (p Process) bundles() *cobra.Command {
	return p.group("bundles", "List, read, change and retire the bundles of a PSP, and see who changed what",
		p.listBundles(), p.getBundle(), p.putBundles(), p.retireBundle(), p.diffBundles(), p.bundleHistory(), p.lintBundles())
}

// listedBundle is what a list shows of a bundle.
type listedBundle struct {
	IDBundle, Name, Type, PaymentType, Touchpoint string
	MinPaymentAmount, MaxPaymentAmount            int64
	PaymentAmount                                 int64
	Fee                                           *listedFee
	OnUs                                          bool
	ValidityDateFrom, ValidityDateTo              string
	Revision                                      int64
}

// listedFee is a fee that is not only a flat amount (F1, F2), in cents and hundredths of a percent.
type listedFee struct {
	Flat, PerNotice, Bps int64
	Min, Max             *int64
	Steps                []json.RawMessage
}

// String writes a fee as "0.50 + 0.20/notice + 1.25%, 0.60 to 9.00"; of steps it says how many there are.
func (f *listedFee) String() string {
	var parts []string
	if f.Flat != 0 {
		parts = append(parts, text.Euro(f.Flat))
	}
	if f.PerNotice != 0 {
		parts = append(parts, text.Euro(f.PerNotice)+"/notice")
	}
	if f.Bps != 0 {
		parts = append(parts, text.Euro(f.Bps)+"%")
	}
	if len(f.Steps) > 0 {
		parts = append(parts, count(len(f.Steps), "step"))
	}
	whole := strings.Join(parts, " + ")
	if whole == "" {
		whole = text.Euro(0)
	}
	switch {
	case f.Min != nil && f.Max != nil:
		return whole + ", " + text.Euro(*f.Min) + " to " + text.Euro(*f.Max)
	case f.Min != nil:
		return whole + ", at least " + text.Euro(*f.Min)
	case f.Max != nil:
		return whole + ", at most " + text.Euro(*f.Max)
	}
	return whole
}

func (p Process) listBundles() *cobra.Command {
	var types, name string
	var active bool
	cmd, e := p.errand("list --psp PSP", "List the bundles of a PSP", cobra.NoArgs, func(e *errand, _ []string) error {
		path, err := e.place("bundles")
		if err != nil {
			return err
		}
		query := url.Values{"limit": {"1000"}}
		for key, value := range map[string]string{"types": types, "name": name} {
			if value != "" {
				query.Set(key, value)
			}
		}
		if active {
			query.Set("active", "true")
		}
		var rows [][]string
		err = e.pages(func(number int) (total, found int, err error) {
			query.Set("page", strconv.Itoa(number))
			var page struct {
				Bundles  []listedBundle
				PageInfo struct {
					Total int `json:"total_items"`
				}
			}
			err = e.do(http.MethodGet, path+"?"+query.Encode(), nil, nil, &page)
			for _, b := range page.Bundles {
				rows = append(rows, b.row())
			}
			return page.PageInfo.Total, len(page.Bundles), err
		})
		if err != nil {
			return err
		}
		return e.table([]text.Column{
			{Title: "ID", ShrinkTo: 8}, {Title: "NAME", ShrinkTo: 8}, {Title: "REACH"}, {Title: "TYPE"}, {Title: "TOUCHPOINT", ShrinkTo: 6},
			{Title: "ABOVE €", Right: true}, {Title: "UP TO €", Right: true}, {Title: "FEE €", Right: true}, {Title: "ON-US"}, {Title: "FROM"}, {Title: "TO"}, {Title: "REVISION", Right: true},
		}, rows)
	})
	e.party(true, false)
	cmd.Flags().StringVar(&types, "types", "", "only these `types`: GLOBAL,PUBLIC,PRIVATE")
	cmd.Flags().StringVar(&name, "name", "", "only those whose name has this `part`")
	cmd.Flags().BoolVar(&active, "active", false, "only those in force today")
	return cmd
}

// lintBundles tells a PSP what is odd about its stored bundles, and which of them failed.
func (p Process) lintBundles() *cobra.Command {
	cmd, e := p.errand("lint --psp PSP", "Say what is odd about the bundles of a PSP, and which were left out of quotes because they fail", cobra.NoArgs, func(e *errand, _ []string) error {
		if e.psp == "" {
			return usage("say who acts: --psp")
		}
		var view marketplace.LintView
		if err := e.do(http.MethodGet, rpc.JSONPrefix+"psps/"+url.PathEscape(e.psp)+"/lint", nil, nil, &view); err != nil || e.json {
			return err
		}
		findings := make([]lint.Finding, len(view.Findings))
		for i, f := range view.Findings {
			findings[i] = lint.Finding{
				Rule: lint.Rule(f.Rule), Severity: lint.Severity(f.Severity), PSP: f.IDPsp, Bundle: f.IDBundle, Other: f.Other,
				Field: f.Field, Message: f.Message, Fix: f.Fix,
			}
		}
		for _, f := range view.Failing {
			e.say("failed %s %s since the server was started, last at %s: %s", f.IDBundle, count(int(f.Count), "time"), f.Last.Format(time.RFC3339), f.Reason)
		}
		return lint.WriteText(p.Stdout, findings)
	})
	e.party(true, false)
	return cmd
}

func (b *listedBundle) row() []string {
	fee, onUs := text.Euro(b.PaymentAmount), ""
	if b.Fee != nil {
		fee = b.Fee.String()
	}
	if b.OnUs {
		onUs = "yes"
	}
	return []string{
		b.IDBundle, b.Name, b.Type, b.PaymentType, b.Touchpoint, text.Euro(b.MinPaymentAmount), text.Euro(b.MaxPaymentAmount), fee, onUs,
		b.ValidityDateFrom, b.ValidityDateTo, strconv.FormatInt(b.Revision, 10),
	}
}

// getBundle prints a bundle as a native document, which is what put takes.
func (p Process) getBundle() *cobra.Command {
	var asYAML bool
	cmd, e := p.errand("get --psp PSP ID", "Print a bundle as a document that put takes", cobra.ExactArgs(1), func(e *errand, args []string) error {
		path, err := e.place("bundles", args[0])
		if err != nil {
			return err
		}
		var view json.RawMessage
		if err := e.do(http.MethodGet, path, nil, nil, &view); err != nil || e.json {
			return err
		}
		b, err := format.ReadBundle(view, nil)
		if err != nil {
			return fmt.Errorf("the server does not answer as gec does: %w", err)
		}
		b.ID = args[0]
		return format.Write(format.Native, e.process.Stdout, bundles.Document{Bundles: []bundles.Bundle{b}}, format.WriteOptions{YAML: asYAML})
	})
	e.party(true, false)
	cmd.Flags().BoolVar(&asYAML, "yaml", false, "print YAML in place of JSON")
	return cmd
}

// putBundles takes a file of bundles in, or says what would become of them.
func (p Process) putBundles() *cobra.Command {
	var name, key string
	var dryRun bool
	cmd, e := p.errand("put --psp PSP FILE", "Take the bundles of a file in, all of them or none: new ones, and new versions of those that are there", cobra.ExactArgs(1),
		func(e *errand, args []string) error {
			if e.psp == "" {
				return usage("say who acts: --psp")
			}
			r := &reading{stdin: e.process.Stdin}
			body, err := r.text(args[0])
			if err != nil {
				return err
			}
			query := url.Values{"format": {name}, "dryRun": {strconv.FormatBool(dryRun)}}
			header := http.Header{}
			if key != "" {
				header.Set("Idempotency-Key", key)
			}
			var report marketplace.UploadView
			if err := e.do(http.MethodPost, "/gec/v1/psps/"+url.PathEscape(e.psp)+"/uploads?"+query.Encode(), header, body, &report); err != nil || e.json {
				return err
			}
			return e.uploaded(args[0], &report)
		})
	e.party(true, false)
	cmd.Flags().StringVar(&name, "format", string(format.Native), "`format` of the file: native (JSON or YAML), csv, cdi")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would become of them, and what is odd about them, and store nothing")
	cmd.Flags().StringVar(&key, "idempotency-key", "", "`key` that makes the upload happen once however often it is sent")
	return cmd
}

// uploaded prints the report on an upload.
func (e *errand) uploaded(file string, r *marketplace.UploadView) error {
	var rows [][]string
	for _, row := range r.Rows {
		rows = append(rows, []string{fmt.Sprintf("%s:%d", displayed(file), row.Line), row.IDBundle, row.Outcome})
	}
	if err := e.table([]text.Column{{Title: "PLACE", ShrinkTo: 8}, {Title: "BUNDLE", ShrinkTo: 8}, {Title: "BECOMES"}}, rows); err != nil {
		return err
	}
	for _, f := range r.Lint {
		e.say("%s %s: %s %s — %s", f.Severity, f.Rule, f.IDBundle, f.Message, f.Fix)
	}
	switch {
	case r.Repeated:
		e.say("done before, in revision %d", r.Revision)
	case r.DryRun:
		e.say("%d added, %d changed, %d unchanged; nothing was stored", r.Added, r.Changed, r.Unchanged)
	default:
		e.say("%d added, %d changed, %d unchanged; revision %d", r.Added, r.Changed, r.Unchanged, r.Revision)
	}
	return nil
}

func (p Process) retireBundle() *cobra.Command {
	var revision int64
	cmd, e := p.errand("retire --psp PSP ID", "End a bundle and its subscriptions with today", cobra.ExactArgs(1), func(e *errand, args []string) error {
		path, err := e.place("bundles", args[0])
		if err != nil {
			return err
		}
		header := http.Header{}
		if revision > 0 {
			header.Set("If-Match", strconv.FormatInt(revision, 10))
		}
		if err := e.do(http.MethodDelete, path, header, nil, nil); err != nil {
			return err
		}
		e.say("%s ends with today", text.Printable(args[0]))
		return nil
	})
	e.party(true, false)
	cmd.Flags().Int64Var(&revision, "revision", 0, "the `revision` of the bundle that was read; refuses when it changed since")
	return cmd
}

func (p Process) diffBundles() *cobra.Command {
	cmd, _ := p.errand("diff FROM [TO]", "Say what became of bundles between two revisions; TO is the current one where it is not named", cobra.RangeArgs(1, 2),
		func(e *errand, args []string) error {
			query := url.Values{}
			for n, name := range []string{"from", "to"}[:len(args)] {
				if _, err := strconv.ParseUint(args[n], 10, 63); err != nil {
					return usage("%q is no revision", args[n])
				}
				query.Set(name, args[n])
			}
			var answer struct{ Changes []marketplace.ChangeView }
			if err := e.do(http.MethodGet, "/gec/v1/diff?"+query.Encode(), nil, nil, &answer); err != nil {
				return err
			}
			e.changes(answer.Changes)
			return nil
		})
	return cmd
}

func (p Process) bundleHistory() *cobra.Command {
	cmd, _ := p.errand("history ID", "Say who changed a bundle, when, and what", cobra.ExactArgs(1), func(e *errand, args []string) error {
		var answer struct{ Changes []marketplace.ChangeView }
		if err := e.do(http.MethodGet, "/gec/v1/bundles/"+url.PathEscape(args[0])+"/history", nil, nil, &answer); err != nil {
			return err
		}
		e.changes(answer.Changes)
		return nil
	})
	return cmd
}

// changes prints what became of bundles, a field a line.
func (e *errand) changes(all []marketplace.ChangeView) {
	for _, c := range all {
		head := fmt.Sprintf("%s of %s %s", text.Printable(c.IDBundle), text.Printable(c.IDPsp), strings.ToLower(c.Change))
		if r := c.Revision; r != nil {
			head += fmt.Sprintf(" in revision %d, %s, by %s", r.Revision, r.At.Format("2006-01-02 15:04:05Z07:00"), text.Printable(r.Caller))
			if r.OnBehalfOf != "" {
				head += " for " + text.Printable(r.OnBehalfOf)
			}
		}
		e.say("%s", head)
		for _, f := range c.Fields {
			if f.Before != "" {
				e.say("  - %s: %s", f.Field, text.Printable(f.Before))
			}
			if f.After != "" {
				e.say("  + %s: %s", f.Field, text.Printable(f.After))
			}
		}
	}
}

// revisions lists who changed the catalogue.
func (p Process) revisions() *cobra.Command {
	var from, to int64
	cmd, _ := p.errand("revisions", "List who changed the catalogue, when and how; the last hundred", cobra.NoArgs, func(e *errand, _ []string) error {
		query := url.Values{}
		for name, value := range map[string]int64{"from": from, "to": to} {
			if value > 0 {
				query.Set(name, strconv.FormatInt(value, 10))
			}
		}
		var answer struct{ Revisions []marketplace.RevisionView }
		if err := e.do(http.MethodGet, "/gec/v1/revisions?"+query.Encode(), nil, nil, &answer); err != nil {
			return err
		}
		var rows [][]string
		for _, r := range answer.Revisions {
			rows = append(rows, []string{strconv.FormatInt(r.Revision, 10), r.At.Format("2006-01-02 15:04:05Z07:00"), r.Operation, r.Caller, r.OnBehalfOf, strconv.Itoa(r.Rows)})
		}
		return e.table([]text.Column{{Title: "REVISION", Right: true}, {Title: "AT"}, {Title: "OPERATION"}, {Title: "BY", ShrinkTo: 8}, {Title: "FOR", ShrinkTo: 8}, {Title: "ROWS", Right: true}}, rows)
	})
	cmd.Flags().Int64Var(&from, "from", 0, "the first `revision`")
	cmd.Flags().Int64Var(&to, "to", 0, "the last `revision`")
	return cmd
}
