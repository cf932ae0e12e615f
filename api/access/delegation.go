package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gec/bundles"
)

// Delegation lets a broker or another partner act for a PSP or an EC.
type Delegation struct {
	// ID tells delegations apart.
	ID string `json:"id"`
	// Party is who gives it: a role of a PSP or an EC.
	Party Role `json:"party"`
	// Grantee is who may act: the id of an access key, "sub:" and the subject of a bearer token, or "cert:"
	// and that of a client certificate.
	Grantee string `json:"grantee"`
	// Functions are what it may do in the party's name; none: all of them.
	Functions []bundles.Function `json:"functions,omitempty"`
	// Until is when it ends.
	Until time.Time `json:"until"`
	// GivenAt and GivenBy say when and by whom it was given.
	GivenAt time.Time `json:"givenAt"`
	GivenBy string    `json:"givenBy"`
}

// The bounds of delegations.
const (
	// DelegationMax is the longest time for which one can be given at once.
	DelegationMax   = 5 * 366 * 24 * time.Hour
	granteeBytesMax = 256
	// granteeFix is what to do about a grantee that is none.
	granteeFix = "give the id of the access key that may act, as its holder reads it from GET /gec/v1/access"
)

// check returns what is wrong with a delegation that is about to be given.
func (d *Delegation) check(now time.Time) error {
	var faults bundles.Faults
	fault := func(path, reason, fix string) {
		faults = append(faults, bundles.Fault{Path: path, Reason: reason, Fix: fix})
	}
	if f := d.Party.check("party"); f != nil {
		faults = append(faults, *f)
	} else if !d.Party.party() {
		fault("party", bundles.Excerpt(string(d.Party))+" is no party", "name who gives the delegation, as psp:<id> or ec:<tax code>")
	}
	if d.Grantee == "" || len(d.Grantee) > granteeBytesMax || !printable(d.Grantee) {
		fault("grantee", bundles.Excerpt(d.Grantee)+" names nobody", granteeFix)
	}
	for n, f := range d.Functions {
		if !slices.Contains(bundles.Functions(), f) {
			fault(fmt.Sprintf("functions[%d]", n), bundles.Excerpt(string(f))+" is no function", fmt.Sprintf("use some of %v", bundles.Functions()))
		}
	}
	switch {
	case d.Until.IsZero():
		fault("until", "is missing", "say when the delegation ends")
	case !d.Until.After(now):
		fault("until", "is not in the future", "say when the delegation ends")
	case d.Until.Sub(now) > DelegationMax:
		fault("until", "is more than five years away", "give it for a shorter time, and again later")
	}
	return faults.Err()
}

// row is the delegation as it is stored.
func (d *Delegation) row() (bundles.Row, error) {
	document, err := json.Marshal(d)
	return bundles.Row{Kind: bundles.KindDelegation, ID: d.ID, Document: document}, err
}

// readDelegation reads what row wrote.
func readDelegation(r bundles.Row) (d Delegation, err error) {
	if err := json.Unmarshal(r.Document, &d); err != nil {
		return d, fmt.Errorf("delegation %s: %w", r.ID, err)
	}
	return d, nil
}
