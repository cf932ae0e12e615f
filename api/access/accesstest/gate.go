// Package accesstest lets tests of the services say who calls.
package accesstest

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc/metadata"

	"gec/api/access"
	"gec/api/problem"
)

// Gate is an access.Gate for which callers are who they say: "operator", "auditor", a tax code, or the id of a
// PSP. Nobody is refused for a role.
type Gate struct{}

// The header and the metadata in which a caller says who it is; one that says nothing is not known.
const (
	Header   = "X-Test-Caller"
	Metadata = "x-test-caller"
)

// HTTP implements access.Gate.
func (Gate) HTTP(r *http.Request, _ string) (*access.Grant, error) {
	return grant(r.Header.Get(Header))
}

// GRPC implements access.Gate.
func (Gate) GRPC(ctx context.Context, _ string) (*access.Grant, error) {
	if given := metadata.ValueFromIncomingContext(ctx, Metadata); len(given) == 1 {
		return grant(given[0])
	}
	return grant("")
}

// Stay implements access.Gate.
func (g Gate) Stay(ctx context.Context, _ string) access.Stay { return stay{ctx} }

// stay is the access.Stay of a caller.
type stay struct {
	ctx context.Context //nolint:containedctx // it is the stream's
}

// Still implements access.Stay.
func (s stay) Still() error { return s.Again() }

// Again implements access.Stay.
func (s stay) Again() error {
	_, err := Gate{}.GRPC(s.ctx, "")
	return err
}

func grant(name string) (*access.Grant, error) {
	if name == "" {
		return nil, problem.NoKey()
	}
	role := access.PSPRole(name)
	if name == string(access.RoleOperator) || name == string(access.RoleAuditor) {
		role = access.Role(name)
	} else if name[0] <= '9' {
		role = access.CreditorInstitutionRole(name)
	}
	return access.NewGrant(name, name, []access.Role{role, access.RoleQuotes}, nil, time.Time{}), nil
}
