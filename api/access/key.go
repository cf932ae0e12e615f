package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gec/bundles"
)

// Key is an access key as it is stored and shown: all but the secret, which is nowhere once it was given out.
type Key struct {
	// ID tells keys apart and never changes; it is no secret.
	ID string `json:"id"`
	// Name says in journal and history who called; up to 35 characters (spec 6), no two keys in force have
	// the same.
	Name string `json:"name"`
	// Roles are what the key may do by itself; none: only what is delegated to it.
	Roles []Role `json:"roles"`
	// RatePerSecond is the number of calls that the key may make each second on one node, twice as many
	// at once; 0: as many as it likes.
	RatePerSecond int `json:"ratePerSecond,omitempty"`
	// CreatedAt and CreatedBy say when and by whom it was made; ExpiresAt when it ends, the zero Time: never.
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// RevokedAt is when it was revoked; the zero Time: it was not.
	RevokedAt time.Time `json:"revokedAt,omitzero"`
	// Secrets are the digests of those that are taken for the key, the newest first.
	Secrets []Secret `json:"secrets"`
}

// Secret is one of the secrets of a key; there are two while one takes the other's place.
type Secret struct {
	SHA256    Digest    `json:"sha256"`
	CreatedAt time.Time `json:"createdAt"`
	// EndsAt is when it is no longer taken; the zero Time: with the key.
	EndsAt time.Time `json:"endsAt,omitzero"`
}

// The bounds of keys.
const (
	nameCharactersMax = 35
	rolesMax          = 256
	rateMax           = 1_000_000
	keysMax           = 100_000
	// OverlapMax is the longest time for which a rotated key is still taken by its old secret.
	OverlapMax = 90 * 24 * time.Hour
)

// State says in one word how a key stands at an instant: ACTIVE, EXPIRED or REVOKED.
func (k *Key) State(at time.Time) string {
	switch {
	case !k.RevokedAt.IsZero():
		return "REVOKED"
	case !k.ExpiresAt.IsZero() && !at.Before(k.ExpiresAt):
		return "EXPIRED"
	}
	return "ACTIVE"
}

// check returns what is wrong with a key that is about to be made.
func (k *Key) check(now time.Time) error {
	var faults bundles.Faults
	fault := func(path, reason, fix string) {
		faults = append(faults, bundles.Fault{Path: path, Reason: reason, Fix: fix})
	}
	switch {
	case strings.TrimSpace(k.Name) == "":
		fault("name", "is missing", "say whose key it is; the name is in the journal of every call")
	case len(k.Name) > nameCharactersMax || !printable(k.Name):
		fault("name", bundles.Excerpt(k.Name)+" is longer than 35 characters or not plain ASCII", "shorten it")
	}
	if len(k.Roles) > rolesMax {
		fault("roles", fmt.Sprintf("are %d", len(k.Roles)), fmt.Sprintf("give a key at most %d", rolesMax))
	}
	for n, r := range k.Roles {
		path := fmt.Sprintf("roles[%d]", n)
		if f := r.check(path); f != nil {
			faults = append(faults, *f)
		}
		if slices.Contains(k.Roles[:n], r) {
			fault(path, bundles.Excerpt(string(r))+" is there twice", "leave it out once")
		}
	}
	if k.RatePerSecond < 0 || k.RatePerSecond > rateMax {
		fault("ratePerSecond", fmt.Sprintf("is %d", k.RatePerSecond), fmt.Sprintf("use 1 to %d calls a second, or 0 for no bound", rateMax))
	}
	if !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) {
		fault("expiresAt", "is not in the future", "name an instant to come, or leave it out for a key without an end")
	}
	return faults.Err()
}

// row is the key as it is stored.
func (k *Key) row() (bundles.Row, error) {
	document, err := json.Marshal(k)
	return bundles.Row{Kind: bundles.KindKey, ID: k.ID, Document: document}, err
}

// readKey reads what row wrote.
func readKey(r bundles.Row) (k Key, err error) {
	if err := json.Unmarshal(r.Document, &k); err != nil {
		return k, fmt.Errorf("access key %s: %w", r.ID, err)
	}
	return k, nil
}
