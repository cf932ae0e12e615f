package marketplace

import (
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"gec/api/problem"
	"gec/api/trace"
	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/lint"
	"gec/engine"
)

// UploadView reports on an upload, row by row.
type UploadView struct {
	Revision int64 `json:"revision"`
	DryRun   bool  `json:"dryRun"`
	// Repeated says that the upload with this idempotency key was made before, in that revision.
	Repeated  bool          `json:"repeated"`
	Bundles   int           `json:"bundles"`
	Added     int           `json:"added"`
	Changed   int           `json:"changed"`
	Unchanged int           `json:"unchanged"`
	Rows      []RowView     `json:"rows"`
	Warnings  []FaultView   `json:"warnings,omitempty"`
	Lint      []FindingView `json:"lint,omitempty"`
}

// RowView says what became of one bundle; Line is that on which it begins in the text.
type RowView struct {
	Row      int    `json:"row"`
	Line     int    `json:"line,omitempty"`
	IDBundle string `json:"idBundle"`
	Outcome  string `json:"outcome,omitempty"`
}

// FaultView is something wrong, or probably not meant.
type FaultView struct {
	Field  string `json:"field,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Reason string `json:"reason"`
	Fix    string `json:"fix,omitempty"`
}

func faultsOf(faults []bundles.Fault) []FaultView {
	return mapped(faults, func(f *bundles.Fault) FaultView { return FaultView{f.Path, f.Line, f.Column, f.Reason, f.Fix} })
}

// FindingView is what lint found.
type FindingView struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	IDPsp    string `json:"idPsp"`
	IDBundle string `json:"idBundle"`
	Other    string `json:"otherBundle,omitempty"`
	Field    string `json:"field"`
	Message  string `json:"message"`
	Fix      string `json:"fix"`
}

func findingsOf(findings []lint.Finding) []FindingView {
	return mapped(findings, func(f *lint.Finding) FindingView {
		return FindingView{string(f.Rule), string(f.Severity), f.PSP, f.Bundle, f.Other, f.Field, f.Message, f.Fix}
	})
}

// uploadBundles takes a file of a PSP's bundles as it is: CSV, JSON, YAML or CDI; all of it or nothing (A6,
// A9).
func uploadBundles(c *call) error {
	name, err := c.format()
	if err != nil {
		return err
	}
	if name == format.CDI {
		report, err := c.takeCDIs(c.part("idPsp"))
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, report)
	}
	o, err := c.authoring()
	if err != nil {
		return err
	}
	if o.Base, err = c.ifMatch(); err != nil {
		return err
	}
	body, err := c.body(uploadBytesMax)
	if err != nil {
		return err
	}
	// Before a word is said of the bundles: of another PSP not even their faults are told.
	if err := c.caller.MayForPSP(c.part("idPsp"), bundles.FunctionBundles); err != nil {
		return err
	}
	decoded := trace.Stage(c.r.Context(), "decode")
	drafts, warnings, err := c.read(name, body)
	decoded(err)
	if err != nil {
		return err
	}
	upload, err := c.catalogue.CreateBundles(c.r.Context(), c.caller, c.part("idPsp"), drafts, o)
	if err != nil {
		return located(err, name, body)
	}
	return c.uploaded(drafts, &upload, warnings, name, body)
}

// uploaded answers with the report on an upload.
func (c *call) uploaded(drafts []bundles.Bundle, upload *bundles.Upload, warnings []bundles.Fault, name format.Name, body []byte) (err error) {
	v := UploadView{
		Revision: upload.Revision, DryRun: upload.DryRun, Repeated: upload.Repeated, Bundles: len(drafts), Added: upload.Added,
		Changed: upload.Changed, Unchanged: upload.Unchanged, Rows: rowsOf(upload, name, body), Warnings: faultsOf(append(warnings, upload.Warnings...)),
	}
	if upload.DryRun {
		if v.Lint, err = c.lintWith(drafts, upload.IDs); err != nil {
			return err
		}
	}
	return c.json(http.StatusOK, v)
}

// format is that of the body, by the query or the Content-Type.
func (c *call) format() (format.Name, error) {
	text := strings.ToLower(c.r.URL.Query().Get("format"))
	if text == "" {
		text, _, _ = mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	}
	switch text {
	case "csv", "text/csv":
		return format.CSV, nil
	case "native", "json", "yaml", "application/json", "application/yaml", "application/x-yaml", "text/yaml":
		return format.Native, nil
	case "cdi", "application/xml", "text/xml":
		return format.CDI, nil
	}
	return "", problem.New(http.StatusUnsupportedMediaType, codes.InvalidArgument, "The format of the body is not known: say ?format=csv, json, yaml or cdi, or send its Content-Type")
}

// read reads a file of bundles and checks them, so that all faults are told at once.
func (c *call) read(name format.Name, body []byte) ([]bundles.Bundle, []bundles.Fault, error) {
	d, warnings, err := format.Parse(name, body, format.ReadOptions{
		Settings: c.catalogue.Current().Settings(), Check: c.judge, Rest: c.catalogue.Rest,
	})
	if err != nil {
		return nil, nil, err
	}
	var faults bundles.Faults
	for path, there := range map[string]bool{"config": d.Settings != nil, "subscriptions": len(d.Subscriptions) > 0, "paymentMethods": len(d.PaymentMethods) > 0} {
		if there {
			faults = append(faults, bundles.Fault{Path: path, Reason: "is not part of an upload of bundles", Fix: "leave it out"})
		}
	}
	return d.Bundles, warnings, faults.Err()
}

// judge checks bundles of the PSP of the path. What the PSP need not say, itself and ids, is filled in for the
// check. Who may not author for the PSP is told nothing.
func (c *call) judge(d *bundles.Document) (bundles.Faults, []bundles.Fault) {
	psp := c.part("idPsp")
	if c.caller.MayForPSP(psp, bundles.FunctionBundles) != nil {
		return nil, nil
	}
	check := *d
	check.Bundles = bundles.Completed(psp, d.Bundles)
	return bundles.CheckDocument(&check, c.catalogue.Current().Settings(), c.today(), false, func(id string) (*bundles.Bundle, bool) {
		b, err := c.catalogue.PSPBundle(c.r.Context(), c.caller, psp, id, 0)
		return &b, err == nil
	})
}

// located gives faults that the catalogue found their places in the text.
func located(err error, name format.Name, body []byte) error {
	var faults bundles.Faults
	if !errors.As(err, &faults) {
		return err
	}
	format.Locate(name, body, faults)
	return faults
}

// rowsOf tells what became of each bundle, with its place in the text.
func rowsOf(upload *bundles.Upload, name format.Name, body []byte) []RowView {
	places := make([]bundles.Fault, len(upload.IDs))
	for n := range places {
		places[n].Path = bundles.BundlePath(n)
	}
	format.Locate(name, body, places)
	rows := make([]RowView, len(upload.IDs))
	for n, id := range upload.IDs {
		rows[n] = RowView{Row: n + 1, Line: places[n].Line, IDBundle: id}
		if n < len(upload.Outcomes) {
			rows[n].Outcome = upload.Outcomes[n].String()
		}
	}
	return rows
}

// lintWith tells what is odd about the PSP's bundles as they would be with the drafts (A10).
func (c *call) lintWith(drafts []bundles.Bundle, ids []string) ([]FindingView, error) {
	psp := c.part("idPsp")
	all := bundles.Completed(psp, drafts)
	for n := range all {
		all[n].ID = ids[n]
	}
	stored, err := c.catalogue.PSPBundles(c.r.Context(), c.caller, psp, 0)
	return findingsOf(lint.CheckDrafts(all, stored, c.catalogue.Current().Settings(), c.today())), err
}

// today is the civil date in Rome.
func (c *call) today() engine.Date { return engine.LocalAt(c.h.options.Now()).Date }

// LintView is what is odd about bundles.
type LintView struct {
	Findings []FindingView `json:"findings"`
	// Failing are stored bundles that were left out of answers because they failed while running.
	Failing []FailingView `json:"failing,omitempty"`
}

// FailingView is a bundle that, as it is now, failed while running (Q14): so many times since this node began.
type FailingView struct {
	IDBundle string    `json:"idBundle"`
	Count    uint64    `json:"count"`
	Last     time.Time `json:"last"`
	Reason   string    `json:"reason"`
}

// failing returns which of the stored bundles of a PSP failed while running.
func (c *call) failing(psp string, stored []*engine.Bundle) (views []FailingView) {
	if c.h.options.Failing == nil {
		return nil
	}
	for _, f := range c.h.options.Failing(psp) {
		if slices.ContainsFunc(stored, func(b *engine.Bundle) bool { return b.ID == f.ID && f.Is(b) }) {
			views = append(views, FailingView{f.ID, f.Count, f.Last.UTC(), f.Err.Error()})
		}
	}
	return views
}

// lintPSP tells what is odd about the stored bundles of a PSP (A10).
func lintPSP(c *call) error {
	if err := c.caller.MayReadPSP(c.part("idPsp")); err != nil {
		return err
	}
	stored, err := c.catalogue.PSPBundles(c.r.Context(), c.caller, c.part("idPsp"), 0)
	if err != nil {
		return err
	}
	all := mapped(stored, func(b **engine.Bundle) bundles.Bundle { return bundles.Bundle{Bundle: **b} })
	return c.json(http.StatusOK, LintView{
		Findings: findingsOf(lint.Check(all, c.catalogue.Current().Settings(), c.today(), lint.Options{})),
		Failing:  c.failing(c.part("idPsp"), stored),
	})
}

// lintDocument tells what is odd about the bundles of the body, and stores nothing.
func lintDocument(c *call) error {
	name, err := c.format()
	if err != nil {
		return err
	}
	body, err := c.body(uploadBytesMax)
	if err != nil {
		return err
	}
	settings := c.catalogue.Current().Settings()
	d, _, err := format.Parse(name, body, format.ReadOptions{Settings: settings, Past: true})
	if err != nil {
		return err
	}
	if d.Settings != nil {
		settings = d.Settings
	}
	return c.json(http.StatusOK, LintView{Findings: findingsOf(lint.Check(d.Bundles, settings, c.today(), lint.Options{}))})
}
