package marketplace

import (
	"encoding/hex"
	"net/http"
	"time"

	"gec/bundles"
)

// RevisionView is one change of the catalogue (A8).
type RevisionView struct {
	Revision   int64     `json:"revision"`
	At         time.Time `json:"at"`
	Caller     string    `json:"caller"`
	OnBehalfOf string    `json:"onBehalfOf,omitempty"`
	Operation  string    `json:"operation"`
	Rows       int       `json:"rows"`
	// HistorySHA256 is the hash of the history up to and with it, in hexadecimal digits.
	HistorySHA256 string `json:"historySha256"`
}

// ChangeView is what became of one bundle; Revision is absent in a difference of two revisions.
type ChangeView struct {
	Revision *RevisionView `json:"revision,omitempty"`
	IDBundle string        `json:"idBundle"`
	IDPsp    string        `json:"idPsp"`
	// Change is ADDED, CHANGED or REMOVED.
	Change string      `json:"change"`
	Fields []FieldView `json:"fields"`
}

// FieldView is a field that differs, with its values as JSON; empty: it was not there.
type FieldView struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

func revisionOf(r *bundles.Record) RevisionView {
	return RevisionView{r.Revision, r.At.UTC(), r.Caller, r.OnBehalfOf, r.Operation, r.Rows, hex.EncodeToString(r.SHA256[:])}
}

// changeOf is the view of a difference.
func changeOf(d *bundles.BundleDiff) ChangeView {
	v := ChangeView{IDBundle: d.ID, IDPsp: d.PSP, Change: "CHANGED", Fields: mapped(d.Fields, func(f *bundles.FieldDiff) FieldView { return FieldView(*f) })}
	switch {
	case d.Before == nil:
		v.Change = "ADDED"
	case d.After == nil:
		v.Change = "REMOVED"
	}
	return v
}

// The bounds of a list of revisions.
const (
	revisionsListed = 100
	revisionsMax    = 1000
)

// getRevisions tells who changed what, the oldest first; the last hundred where none are named.
func getRevisions(c *call) error {
	head := c.catalogue.Head().Revision
	to, err := c.whole("to", 1, head)
	if err != nil {
		return err
	}
	from, err := c.whole("from", 1, max(min(to, head)-revisionsListed+1, 1))
	if err != nil {
		return err
	}
	records, err := c.catalogue.Records(c.r.Context(), c.caller, from, min(to, from+revisionsMax-1))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Revisions []RevisionView `json:"revisions"`
	}{mapped(records, revisionOf)})
}

// getDiff tells what became of bundles between two revisions, to is the current one where it is not named.
func getDiff(c *call) error {
	from, err := c.whole("from", 0, 0)
	if err != nil {
		return err
	}
	to, err := c.whole("to", 0, c.catalogue.Head().Revision)
	if err != nil {
		return err
	}
	diffs, err := c.catalogue.Diff(c.r.Context(), c.caller, from, to)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Changes []ChangeView `json:"changes"`
	}{mapped(diffs, changeOf)})
}

// getHistory tells every change of a bundle, the oldest first.
func getHistory(c *call) error {
	versions, err := c.catalogue.History(c.r.Context(), c.caller, c.part("idBundle"))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Changes []ChangeView `json:"changes"`
	}{mapped(versions, func(v *bundles.Version) ChangeView {
		d := bundles.BundleDiff{ID: c.part("idBundle"), Before: v.Before, After: v.After, Fields: bundles.FieldDiffs(v.Before, v.After)}
		for _, b := range []*bundles.Bundle{v.Before, v.After} {
			if b != nil {
				d.PSP = b.PSP
			}
		}
		view, revision := changeOf(&d), revisionOf(&v.Record)
		view.Revision = &revision
		return view
	})})
}
