package access

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"gec/api/problem"
	"gec/bundles"
)

// Grant is what one caller may do, made once and shared by all its calls. It is never changed.
type Grant struct {
	// ID is the id of the access key, or "sub:" or "cert:" and the subject of whoever shows something else;
	// empty for callers that need show nothing.
	ID string
	// Caller is who that is to the catalogue; its Name is in journal and history.
	Caller bundles.Caller
	// Roles are those of the key or of whatever was shown.
	Roles []Role
	// quotes says that the caller may ask for quotes.
	quotes bool
	// rate bounds its calls; nil does not.
	rate *rate.Limiter
}

// Name says who calls, in journal and log; empty for a nil Grant, of a caller that is not known.
func (g *Grant) Name() string {
	if g == nil {
		return ""
	}
	return g.Caller.Name
}

// NewGrant makes the grant of somebody with roles, and with the delegations that were given to it and hold at
// an instant.
func NewGrant(id, name string, roles []Role, delegations []Delegation, at time.Time) *Grant {
	g := &Grant{ID: id, Caller: bundles.Caller{Name: name}, Roles: roles}
	for _, r := range roles {
		switch {
		case r == RoleOperator:
			g.Caller.Operator, g.quotes = true, true
		case r == RoleAuditor:
			g.Caller.Auditor, g.quotes = true, true
		case r == RoleQuotes:
			g.quotes = true
		}
		g.party(r, nil, false)
	}
	for _, d := range delegations {
		if at.Before(d.Until) {
			g.party(d.Party, d.Functions, true)
		}
	}
	return g
}

// party adds a PSP or an EC that the caller may act for.
func (g *Grant) party(r Role, functions []bundles.Function, delegated bool) {
	if len(functions) == 0 {
		functions = nil // all of them
	}
	party := bundles.Party{Functions: functions, Delegated: delegated}
	if party.ID = r.PSP(); party.ID != "" {
		g.Caller.PSPs = append(g.Caller.PSPs, party)
	} else if party.ID = r.CreditorInstitution(); party.ID != "" {
		g.Caller.CreditorInstitutions = append(g.Caller.CreditorInstitutions, party)
	}
}

// may returns nil when an operation that asks for need is open to the caller. Errors: bundles.ErrForbidden.
func (g *Grant) may(need Need) error {
	switch {
	case need == 0:
		return fmt.Errorf("what no row of the table of operations opens: %w", bundles.ErrForbidden)
	case need == Quotes && !g.quotes:
		return fmt.Errorf("quotes, which need the role quotes, operator or auditor: %w", bundles.ErrForbidden)
	case need == Testing && !g.Caller.Operator:
		return fmt.Errorf("test endpoints, which need the role operator: %w", bundles.ErrForbidden)
	}
	return nil
}

// spend takes calls of the caller's rate, all of a small one that never has so many. Errors: *problem.Problem, of a 429
// that says when to come again.
func (g *Grant) spend(now time.Time, calls int) error {
	if g.rate == nil || calls == 0 {
		return nil
	}
	calls = min(calls, g.rate.Burst())
	if g.rate.AllowN(now, calls) {
		return nil
	}
	missing := float64(calls) - g.rate.TokensAt(now)
	return problem.TooMany(time.Duration(missing / float64(g.rate.Limit()) * float64(time.Second)))
}

// own reports whether the caller is the party itself, or the operator in its place.
func own(c bundles.Caller, party Role) bool {
	of := func(parties []bundles.Party, id string) bool {
		return id != "" && slices.ContainsFunc(parties, func(p bundles.Party) bool { return !p.Delegated && strings.EqualFold(p.ID, id) })
	}
	return c.Operator || of(c.PSPs, party.PSP()) || of(c.CreditorInstitutions, party.CreditorInstitution())
}
