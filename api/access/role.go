package access

import (
	"fmt"
	"strings"

	"gec/bundles"
)

// Role is what a key may do by itself, as it is written: "quotes", "operator", "auditor", "psp:<id>" or
// "ec:<tax code>".
type Role string

// The roles that name no party. A key without any role may do what is delegated to it, and no more.
const (
	// RoleQuotes may ask for quotes: the platform's role.
	RoleQuotes Role = "quotes"
	// RoleOperator may read and change everything.
	RoleOperator Role = "operator"
	// RoleAuditor may read everything and change nothing.
	RoleAuditor Role = "auditor"
)

// The prefixes of the roles that name a party.
const (
	rolePSP = "psp:"
	roleEC  = "ec:"
)

// PSPRole is the role of a PSP, by its idPsp.
func PSPRole(id string) Role { return Role(rolePSP + id) }

// CreditorInstitutionRole is the role of an EC, by its tax code.
func CreditorInstitutionRole(code string) Role { return Role(roleEC + code) }

// partyBytesMax is the length of the longest id of a party.
const partyBytesMax = 64

// PSP returns the id of the PSP that the role is of, empty for every other role.
func (r Role) PSP() string {
	id, is := strings.CutPrefix(string(r), rolePSP)
	if !is {
		return ""
	}
	return id
}

// CreditorInstitution returns the tax code of the EC that the role is of, empty for every other role.
func (r Role) CreditorInstitution() string {
	code, is := strings.CutPrefix(string(r), roleEC)
	if !is {
		return ""
	}
	return code
}

// party reports whether the role is of a PSP or an EC.
func (r Role) party() bool { return r.PSP() != "" || r.CreditorInstitution() != "" }

// check returns what is wrong with a role, as a fault at a path; nil for none.
func (r Role) check(path string) *bundles.Fault {
	switch {
	case r == RoleQuotes || r == RoleOperator || r == RoleAuditor:
		return nil
	case strings.HasPrefix(string(r), roleEC) && !bundles.IsTaxCode(r.CreditorInstitution()):
		return &bundles.Fault{Path: path, Reason: bundles.Excerpt(string(r)) + " names no tax code", Fix: "use its 11 digits"}
	case r.party():
		id := r.PSP() + r.CreditorInstitution()
		if len(id) <= partyBytesMax && printable(id) && !strings.ContainsAny(id, " /*") {
			return nil
		}
		return &bundles.Fault{Path: path, Reason: fmt.Sprintf("%s has an id with spaces, slashes, asterisks or more than %d characters", bundles.Excerpt(string(r)), partyBytesMax), Fix: "write the id as the platform does, one role for each party"}
	}
	return &bundles.Fault{Path: path, Reason: bundles.Excerpt(string(r)) + " is no role", Fix: "use quotes, operator, auditor, psp:<id> or ec:<tax code>"}
}

// printable reports whether a text is ASCII that can be shown as it is.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
