package access

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gec/bundles"
)

// Catalogue is what a Keyring changes: a bundles.Catalogue.
type Catalogue interface {
	Annex
	ChangeAnnex(ctx context.Context, caller bundles.Caller, operation string, work func(get func(bundles.Kind, string) (bundles.Row, error)) ([]bundles.Row, error)) (bundles.Record, error)
}

// Keyring makes, rotates and revokes keys, and gives and withdraws delegations. Every change is a revision of
// the catalogue, with its author. It is safe for concurrent use.
type Keyring struct {
	catalogue Catalogue
	now       func() time.Time
}

// NewKeyring makes the keyring of a catalogue; now is the clock, nil for time.Now.
func NewKeyring(c Catalogue, now func() time.Time) *Keyring {
	if now == nil {
		now = time.Now
	}
	return &Keyring{c, now}
}

// New makes a key of the name, roles, rate and end of k and returns it with its secret, which is nowhere
// else. For the operator. Errors: bundles.ErrForbidden, bundles.ErrNotFound; bundles.Faults; *bundles.StateError for
// a name that another key has; those of the catalogue.
func (r *Keyring) New(ctx context.Context, caller bundles.Caller, k Key) (Key, string, error) {
	if err := mayOperate(caller); err != nil {
		return Key{}, "", err
	}
	now := r.now().UTC()
	if err := k.check(now); err != nil {
		return Key{}, "", err
	}
	secret := newSecret()
	digest, _ := digestOf(secret)
	k = Key{
		ID: newID("key-"), Name: k.Name, Roles: slices.Clone(k.Roles), RatePerSecond: k.RatePerSecond,
		CreatedAt: now, CreatedBy: caller.Name, ExpiresAt: k.ExpiresAt,
		Secrets: []Secret{{SHA256: digest, CreatedAt: now}},
	}
	err := r.change(ctx, caller, "createKey", func(func(bundles.Kind, string) (bundles.Row, error)) (bundles.Row, error) {
		if err := r.free(ctx, k.Name); err != nil {
			return bundles.Row{}, err
		}
		return k.row()
	})
	if err != nil {
		return Key{}, "", err
	}
	return k, secret, nil
}

// free returns nil when no key in force has a name. Errors: *bundles.StateError.
func (r *Keyring) free(ctx context.Context, name string) error {
	all, err := r.keys(ctx)
	if err != nil {
		return err
	}
	if len(all) >= keysMax {
		return &bundles.StateError{Reason: fmt.Sprintf("there are %d keys already", keysMax), Fix: "use those that there are"}
	}
	now := r.now()
	if at := slices.IndexFunc(all, func(k Key) bool { return k.Name == name && k.State(now) == "ACTIVE" }); at >= 0 {
		return &bundles.StateError{Reason: fmt.Sprintf("the key %s is named %s", all[at].ID, bundles.Excerpt(name)), Fix: "choose another name, or rotate that key"}
	}
	return nil
}

// List returns all keys, the revoked ones too, the oldest first. For the operator and auditors.
// Errors: bundles.ErrForbidden; those of the catalogue.
func (r *Keyring) List(ctx context.Context, caller bundles.Caller) ([]Key, error) {
	if !caller.Operator && !caller.Auditor {
		return nil, fmt.Errorf("access keys: %w", bundles.ErrForbidden)
	}
	all, err := r.keys(ctx)
	slices.SortStableFunc(all, func(a, b Key) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all, err
}

func (r *Keyring) keys(ctx context.Context) (all []Key, err error) {
	err = r.catalogue.Annex(ctx, 0, bundles.KindKey, func(row bundles.Row) error {
		k, err := readKey(row)
		all = append(all, k)
		return err
	})
	return all, err
}

// Rotate gives a key another secret and returns it. The one before is taken for as long as overlap says, 0: no
// longer; older ones no longer at all. For the operator. Errors: as New; bundles.ErrNotFound.
func (r *Keyring) Rotate(ctx context.Context, caller bundles.Caller, id string, overlap time.Duration) (Key, string, error) {
	if err := mayOperate(caller); err != nil {
		return Key{}, "", err
	}
	if overlap < 0 || overlap > OverlapMax {
		return Key{}, "", bundles.Fault{Path: "overlap", Reason: fmt.Sprintf("is %v", overlap), Fix: fmt.Sprintf("use 0 to %v", OverlapMax)}
	}
	secret := newSecret()
	digest, _ := digestOf(secret)
	k, err := r.changeKey(ctx, caller, "rotateKey", id, func(k *Key, now time.Time) error {
		if state := k.State(now); state != "ACTIVE" {
			return &bundles.StateError{Reason: fmt.Sprintf("the key %s is %s", k.ID, strings.ToLower(state)), Fix: "make another one"}
		}
		secrets := []Secret{{SHA256: digest, CreatedAt: now}}
		if before := k.Secrets[0]; overlap > 0 {
			before.EndsAt = now.Add(overlap)
			secrets = append(secrets, before)
		}
		k.Secrets = secrets
		return nil
	})
	return k, secret, err
}

// Revoke ends a key, from the next call on. Revoking it again changes nothing. For the operator.
// Errors: bundles.ErrForbidden, bundles.ErrNotFound; those of the catalogue.
func (r *Keyring) Revoke(ctx context.Context, caller bundles.Caller, id string) (Key, error) {
	if err := mayOperate(caller); err != nil {
		return Key{}, err
	}
	return r.changeKey(ctx, caller, "revokeKey", id, func(k *Key, now time.Time) error {
		if k.RevokedAt.IsZero() {
			k.RevokedAt = now
		}
		return nil
	})
}

// changeKey changes a stored key.
func (r *Keyring) changeKey(ctx context.Context, caller bundles.Caller, operation, id string, work func(*Key, time.Time) error) (k Key, err error) {
	err = r.change(ctx, caller, operation, func(get func(bundles.Kind, string) (bundles.Row, error)) (bundles.Row, error) {
		row, err := stored(get, bundles.KindKey, id)
		if err != nil {
			return bundles.Row{}, err
		}
		if k, err = readKey(row); err != nil {
			return bundles.Row{}, err
		}
		if err := work(&k, r.now().UTC()); err != nil {
			return bundles.Row{}, err
		}
		return k.row()
	})
	return k, err
}

// Delegate gives a delegation of the party, functions, grantee and end of d. For the party itself, and for the
// operator. Errors: bundles.Faults; bundles.ErrNotFound for a party that is another's, bundles.ErrForbidden for one that
// the caller only acts for; *bundles.StateError for a grantee whose key is not in force; those of the catalogue.
func (r *Keyring) Delegate(ctx context.Context, caller bundles.Caller, d Delegation) (Delegation, error) {
	now := r.now().UTC()
	if err := d.check(now); err != nil {
		return Delegation{}, err
	}
	if err := mayGive(caller, d.Party); err != nil {
		return Delegation{}, err
	}
	d = Delegation{ID: newID("del-"), Party: d.Party, Grantee: d.Grantee, Functions: slices.Clone(d.Functions), Until: d.Until.UTC(), GivenAt: now, GivenBy: caller.Name}
	caller.OnBehalfOf = d.Party.PSP() + d.Party.CreditorInstitution()
	err := r.change(ctx, caller, "createDelegation", func(get func(bundles.Kind, string) (bundles.Row, error)) (bundles.Row, error) {
		if !strings.HasPrefix(d.Grantee, "sub:") && !strings.HasPrefix(d.Grantee, "cert:") {
			row, err := stored(get, bundles.KindKey, d.Grantee)
			var k Key
			if err == nil {
				k, err = readKey(row)
			}
			if errors.Is(err, bundles.ErrNotFound) || err == nil && k.State(now) != "ACTIVE" {
				return bundles.Row{}, bundles.Fault{Path: "grantee", Reason: bundles.Excerpt(d.Grantee) + " is no key in force", Fix: granteeFix}
			}
			if err != nil {
				return bundles.Row{}, err
			}
		}
		return d.row()
	})
	return d, err
}

// Delegations returns those that the caller gave or, as operator or auditor, all of them; and those that were
// given to it by its grant's id. In order of when they were given. Errors: those of the catalogue.
func (r *Keyring) Delegations(ctx context.Context, caller bundles.Caller, grantee string) (all []Delegation, err error) {
	err = r.catalogue.Annex(ctx, 0, bundles.KindDelegation, func(row bundles.Row) error {
		d, err := readDelegation(row)
		if err == nil && (caller.Auditor || own(caller, d.Party) || grantee != "" && d.Grantee == grantee) {
			all = append(all, d)
		}
		return err
	})
	slices.SortStableFunc(all, func(a, b Delegation) int { return a.GivenAt.Compare(b.GivenAt) })
	return all, err
}

// Withdraw ends a delegation, from the next call on. For the party that gave it, and for the operator.
// Errors: bundles.ErrNotFound, also for those of others; bundles.ErrForbidden for who may only read; those of the catalogue.
func (r *Keyring) Withdraw(ctx context.Context, caller bundles.Caller, id string) error {
	return r.change(ctx, caller, "deleteDelegation", func(get func(bundles.Kind, string) (bundles.Row, error)) (bundles.Row, error) {
		row, err := stored(get, bundles.KindDelegation, id)
		if err != nil {
			return bundles.Row{}, err
		}
		d, err := readDelegation(row)
		if err != nil {
			return bundles.Row{}, err
		}
		return bundles.Row{Kind: bundles.KindDelegation, ID: id, Deleted: true}, mayGive(caller, d.Party)
	})
}

// change changes one row of the annex.
func (r *Keyring) change(ctx context.Context, caller bundles.Caller, operation string, work func(get func(bundles.Kind, string) (bundles.Row, error)) (bundles.Row, error)) error {
	_, err := r.catalogue.ChangeAnnex(ctx, caller, operation, func(get func(bundles.Kind, string) (bundles.Row, error)) ([]bundles.Row, error) {
		row, err := work(get)
		if err != nil {
			return nil, err
		}
		return []bundles.Row{row}, nil
	})
	return err
}

// stored reads a row by an id that a caller gave. Errors: bundles.ErrNotFound, also for what cannot be an id.
func stored(get func(bundles.Kind, string) (bundles.Row, error), kind bundles.Kind, id string) (bundles.Row, error) {
	if id == "" || len(id) > granteeBytesMax || !printable(id) {
		return bundles.Row{}, bundles.ErrNotFound
	}
	return get(kind, id)
}

// mayOperate returns nil for the operator. Errors: bundles.ErrForbidden.
func mayOperate(c bundles.Caller) error {
	if c.Operator {
		return nil
	}
	return fmt.Errorf("access keys: %w", bundles.ErrForbidden)
}

// mayGive returns nil when the caller may give and withdraw delegations of a party. Errors: bundles.ErrNotFound for
// parties that the caller may not even read, else bundles.ErrForbidden.
func mayGive(c bundles.Caller, party Role) error {
	if own(c, party) {
		return nil
	}
	err := c.MayReadCreditorInstitution(party.CreditorInstitution())
	if psp := party.PSP(); psp != "" {
		err = c.MayReadPSP(psp)
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("delegations of %s are given by itself: %w", party, bundles.ErrForbidden)
}

// newID makes an id of 64 random bits.
func newID(prefix string) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails: the process ends if the system has none
	return prefix + hex.EncodeToString(random[:])
}
