package marketplace

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gec/bundles"
	"gec/bundles/format"
	"gec/bundles/lint"
)

// syncView is what one taking in of CDIs did.
type syncView struct {
	Revision int64 `json:"revision"`
	DryRun   bool  `json:"dryRun"`
	// Repeated says that all of it was taken in before.
	Repeated      bool        `json:"repeated"`
	RepeatedFlows []string    `json:"repeatedFlows,omitempty"`
	Bundles       int         `json:"bundles"`
	Added         int         `json:"added"`
	Ended         int         `json:"ended"`
	Removed       int         `json:"removed"`
	Warnings      []FaultView `json:"warnings,omitempty"`
	// Lint is what would be odd, on a dry run.
	Lint []FindingView `json:"lint,omitempty"`
}

// syncCDIs takes in the CDIs of the body, all of them or nothing (spec 5).
func syncCDIs(c *call) error {
	report, err := c.takeCDIs("")
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, report)
}

// takeCDIs takes in the CDIs of the body; of one PSP only, where it is given.
func (c *call) takeCDIs(psp string) (v syncView, err error) {
	dryRun, err := c.flag("dryRun")
	if err != nil {
		return v, err
	}
	body, err := c.body(uploadBytesMax)
	if err != nil {
		return v, err
	}
	today := c.today()
	d, warnings, err := format.Parse(format.CDI, body, format.ReadOptions{Settings: c.catalogue.Current().Settings(), Today: today})
	if err != nil {
		return v, err
	}
	if at := slices.IndexFunc(d.Bundles, func(b bundles.Bundle) bool { return psp != "" && !strings.EqualFold(b.PSP, psp) }); at >= 0 {
		faults := bundles.Faults{{Path: fmt.Sprintf("bundles[%d].idPsp", at), Reason: fmt.Sprintf("is %s, but these are the CDIs of %s", bundles.Excerpt(d.Bundles[at].PSP), bundles.Excerpt(psp)), Fix: "upload each PSP's CDI apart"}}
		format.Locate(format.CDI, body, faults)
		return v, faults
	}
	o := bundles.CDIOptions{ImportOptions: format.ImportDefaults(format.CDI)}
	o.DryRun, o.Operation = dryRun, c.operation
	caller := c.caller
	caller.OnBehalfOf = psp
	report, err := c.catalogue.ImportCDI(c.r.Context(), caller, d, o)
	if err != nil {
		return v, located(err, format.CDI, body)
	}
	v = syncView{
		Revision: report.Revision, DryRun: report.DryRun, Repeated: report.Repeated, RepeatedFlows: report.RepeatedFlows, Bundles: report.Bundles,
		Added: report.Added, Ended: report.Ended, Removed: report.Removed, Warnings: faultsOf(append(warnings, report.Warnings...)),
	}
	if dryRun {
		// Bundles of earlier CDIs end with the new ones, so that only what is in the document is looked at.
		v.Lint = findingsOf(lint.Check(d.Bundles, c.catalogue.Current().Settings(), today, lint.Options{}))
	}
	return v, nil
}

// syncsListed is how many of the latest syncs are told, and how far back they are looked for.
const (
	syncsListed   = 50
	syncsSearched = 5000
)

// getCDISyncs tells of the latest changes that CDIs made, the latest first. It is for those who may read the
// records of all.
func getCDISyncs(c *call) error {
	type sync struct {
		Revision  int64     `json:"revision"`
		At        time.Time `json:"at"`
		Caller    string    `json:"caller"`
		IDPsp     string    `json:"idPsp,omitempty"`
		Operation string    `json:"operation"`
	}
	head := c.catalogue.Head().Revision
	records, err := c.catalogue.Records(c.r.Context(), c.caller, head-syncsSearched, head)
	if err != nil {
		return err
	}
	syncs := []sync{}
	for _, r := range slices.Backward(records) {
		if strings.Contains(strings.ToLower(r.Operation), "cdi") && len(syncs) < syncsListed {
			syncs = append(syncs, sync{r.Revision, r.At, r.Caller, r.OnBehalfOf, r.Operation})
		}
	}
	return c.json(http.StatusOK, struct {
		Syncs []sync `json:"syncs"`
	}{syncs})
}

type retiredView struct {
	Retired int `json:"retired"`
}

// deleteCDIs retires what the CDIs of a PSP made.
func deleteCDIs(c *call) error {
	psp := c.r.URL.Query().Get("idPsp")
	if psp == "" {
		return bundles.Faults{{Path: "idPsp", Reason: "is missing", Fix: "say in the query whose CDIs to take back"}}
	}
	retired, err := c.catalogue.RetireCDI(c.r.Context(), c.caller, psp, "")
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, retiredView{retired})
}

func deleteCDI(c *call) error {
	retired, err := c.catalogue.RetireCDI(c.r.Context(), c.caller, c.part("idPsp"), c.part("idCdi"))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, retiredView{retired})
}
