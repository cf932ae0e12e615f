package bundles

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Caller says who asks and what it may do (A18). The zero Caller may nothing. A Caller is made by whoever
// knows the person or the key, for one request, and is not changed: what was withdrawn since is not in the
// next one.
type Caller struct {
	// Name of the key or the person; never empty.
	Name string
	// OnBehalfOf names the PSP or EC that a caller acts for in changes that are not of one party, such as
	// an import; may be empty. Changes of a party's own things are recorded on behalf of that party.
	OnBehalfOf string
	// Operator may read and change everything, Auditor may read everything and change nothing.
	Operator, Auditor bool
	// PSPs and CreditorInstitutions are the parties that the caller may act for besides, its own or by
	// delegation.
	PSPs, CreditorInstitutions []Party
}

// Party is a PSP or an EC that a caller may act for.
type Party struct {
	// ID of the PSP, compared ignoring case, or tax code of the EC.
	ID string
	// Functions are those that the caller may use; nil: all. What is the party's may always be read.
	Functions []Function
	// Delegated says that the caller is not the party itself but acts for it.
	Delegated bool
}

// Function is a part of what a party does, as delegations name it.
type Function string

// The functions. A PSP has bundles, offers and requests to answer; an EC has offers to answer, requests
// and subscriptions.
const (
	FunctionBundles       Function = "bundles"
	FunctionOffers        Function = "offers"
	FunctionRequests      Function = "requests"
	FunctionSubscriptions Function = "subscriptions"
)

// Functions returns all of them.
func Functions() []Function {
	return []Function{FunctionBundles, FunctionOffers, FunctionRequests, FunctionSubscriptions}
}

// ErrForbidden is returned when a caller may see a thing and not do what it asked. What a caller may not
// even see is ErrNotFound, as if it were not there.
var ErrForbidden = errors.New("the caller may read this and not do that")

// Operator returns the caller for whom nothing is refused: the owner of the data folder.
func Operator(name string) Caller { return Caller{Name: name, Operator: true} }

// MayReadPSP returns nil when the caller may read what is the PSP's own, else ErrNotFound.
func (c Caller) MayReadPSP(psp string) error {
	return c.mayRead(c.PSPs, psp, "PSP")
}

// MayReadCreditorInstitution returns nil when the caller may read what is the EC's own, else ErrNotFound.
func (c Caller) MayReadCreditorInstitution(ec string) error {
	return c.mayRead(c.CreditorInstitutions, ec, "creditor institution")
}

// MayForPSP returns nil when the caller may use a function of the PSP. Errors: ErrForbidden when it may only
// read, ErrNotFound when it may not even that.
func (c Caller) MayForPSP(psp string, f Function) error {
	return c.mayUse(c.PSPs, psp, "PSP", f)
}

// MayForCreditorInstitution is MayForPSP for an EC.
func (c Caller) MayForCreditorInstitution(ec string, f Function) error {
	return c.mayUse(c.CreditorInstitutions, ec, "creditor institution", f)
}

func (c Caller) mayRead(parties []Party, id, kind string) error {
	if c.Operator || c.Auditor || find(parties, id) != nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", kind, Excerpt(id), ErrNotFound)
}

func (c Caller) mayUse(parties []Party, id, kind string, f Function) error {
	if c.Operator {
		return nil
	}
	if err := c.mayRead(parties, id, kind); err != nil {
		return err
	}
	// A caller may be given a party more than once, each time with other functions.
	for _, p := range parties {
		if strings.EqualFold(p.ID, id) && (p.Functions == nil || slices.Contains(p.Functions, f)) {
			return nil
		}
	}
	return fmt.Errorf("%s of %s %s: %w", f, kind, Excerpt(id), ErrForbidden)
}

func find(parties []Party, id string) *Party {
	for n := range parties {
		if strings.EqualFold(parties[n].ID, id) && id != "" {
			return &parties[n]
		}
	}
	return nil
}

// mayReadAll returns nil for the operator and auditors, else ErrForbidden.
func (c Caller) mayReadAll() error {
	if c.Operator || c.Auditor {
		return nil
	}
	return fmt.Errorf("the whole catalogue: %w", ErrForbidden)
}

// mayOperate returns nil for the operator, else ErrForbidden.
func (c Caller) mayOperate() error {
	if c.Operator {
		return nil
	}
	return fmt.Errorf("what is the operator's: %w", ErrForbidden)
}
