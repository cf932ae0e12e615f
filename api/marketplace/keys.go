package marketplace

import (
	"net/http"
	"time"

	"gec/api/access"
	"gec/api/problem"
	"gec/bundles"
	"gec/bundles/format"
)

// rotationOverlap is for how long a rotated key is taken by its old secret too, where nothing else is said: time
// enough to carry the new one to every machine.
const rotationOverlap = 24 * time.Hour

// KeyView is an access key without its secrets.
type KeyView struct {
	ID            string        `json:"id"`
	Name          string        `json:"name"`
	Roles         []access.Role `json:"roles"`
	RatePerSecond int           `json:"ratePerSecond,omitempty"`
	// State is ACTIVE, EXPIRED or REVOKED.
	State     string    `json:"state"`
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	RevokedAt time.Time `json:"revokedAt,omitzero"`
	// RotatedAt is when it got its secret, OldUntil until when the one before is taken too.
	RotatedAt time.Time `json:"rotatedAt"`
	OldUntil  time.Time `json:"oldSecretUntil,omitzero"`
}

// NewKeyView is a key with the secret that is shown this once.
type NewKeyView struct {
	KeyView
	Secret string `json:"secret"`
}

// AccessView is what a caller may do.
type AccessView struct {
	// ID by which delegations name the caller; empty for callers that show nothing.
	ID          string              `json:"id"`
	Name        string              `json:"name"`
	Roles       []access.Role       `json:"roles"`
	Delegations []access.Delegation `json:"delegations"`
}

func (c *call) keyring() *access.Keyring { return access.NewKeyring(c.catalogue, c.h.options.Now) }

func (c *call) keyView(k *access.Key) KeyView {
	now := c.h.options.Now()
	v := KeyView{
		ID: k.ID, Name: k.Name, Roles: k.Roles, RatePerSecond: k.RatePerSecond, State: k.State(now),
		CreatedAt: k.CreatedAt, CreatedBy: k.CreatedBy, ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, RotatedAt: k.Secrets[0].CreatedAt,
	}
	if v.Roles == nil {
		v.Roles = []access.Role{}
	}
	if len(k.Secrets) > 1 && now.Before(k.Secrets[1].EndsAt) {
		v.OldUntil = k.Secrets[1].EndsAt
	}
	return v
}

// getAccess tells the caller who it is here, so that it can tell others by which id to delegate to it.
func getAccess(c *call) error {
	delegations, err := c.keyring().Delegations(c.r.Context(), bundles.Caller{}, c.grant.ID)
	if err != nil {
		return err
	}
	roles := c.grant.Roles
	if c.caller.Operator {
		roles = []access.Role{access.RoleOperator}
	}
	return c.json(http.StatusOK, AccessView{c.grant.ID, c.grant.Name(), present(roles), present(delegations)})
}

// present returns the list, empty for none, as JSON has it.
func present[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func getKeys(c *call) error {
	all, err := c.keyring().List(c.r.Context(), c.caller)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Keys []KeyView `json:"keys"`
	}{mapped(all, c.keyView)})
}

func createKey(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	read, err := format.ReadKey(body)
	if err != nil {
		return err
	}
	if int64(int(read.RatePerSecond)) != read.RatePerSecond {
		return problem.Invalid([]problem.Field{{Path: "ratePerSecond", Message: "is too large"}})
	}
	k := access.Key{Name: read.Name, RatePerSecond: int(read.RatePerSecond), ExpiresAt: read.ExpiresAt}
	for _, role := range read.Roles {
		k.Roles = append(k.Roles, access.Role(role))
	}
	made, secret, err := c.keyring().New(c.r.Context(), c.caller, k)
	if err != nil {
		return err
	}
	return c.json(http.StatusCreated, NewKeyView{c.keyView(&made), secret})
}

// rotateKey gives a key another secret. The body, which may be absent, says how long the old one is taken.
func rotateKey(c *call) error {
	overlap := rotationOverlap
	if c.r.ContentLength != 0 {
		body, err := c.body(bodyBytesMax)
		if err != nil {
			return err
		}
		seconds, err := format.ReadRotation(body, int64(overlap/time.Second))
		if err != nil {
			return err
		}
		if seconds < 0 || seconds > int64(access.OverlapMax/time.Second) {
			return problem.Invalid([]problem.Field{{Path: "overlapSeconds", Message: "is out of bounds; use 0 to 7776000, ninety days"}})
		}
		overlap = time.Duration(seconds) * time.Second
	}
	k, secret, err := c.keyring().Rotate(c.r.Context(), c.caller, c.part("idKey"), overlap)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, NewKeyView{c.keyView(&k), secret})
}

func revokeKey(c *call) error {
	k, err := c.keyring().Revoke(c.r.Context(), c.caller, c.part("idKey"))
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, c.keyView(&k))
}

func getDelegations(c *call) error {
	all, err := c.keyring().Delegations(c.r.Context(), c.caller, c.grant.ID)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, struct {
		Delegations []access.Delegation `json:"delegations"`
	}{present(all)})
}

func createDelegation(c *call) error {
	body, err := c.body(bodyBytesMax)
	if err != nil {
		return err
	}
	read, err := format.ReadDelegation(body)
	if err != nil {
		return err
	}
	d := access.Delegation{Party: access.Role(read.Party), Grantee: read.Grantee, Until: read.Until}
	for _, f := range read.Functions {
		d.Functions = append(d.Functions, bundles.Function(f))
	}
	if d, err = c.keyring().Delegate(c.r.Context(), c.caller, d); err != nil {
		return err
	}
	return c.json(http.StatusCreated, d)
}

func deleteDelegation(c *call) error {
	if err := c.keyring().Withdraw(c.r.Context(), c.caller, c.part("idDelegation")); err != nil {
		return err
	}
	return c.done()
}
