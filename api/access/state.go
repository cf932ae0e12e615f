package access

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"gec/bundles"
)

// state is what the annex says at one revision. It is not changed once it is in use.
type state struct {
	// read is the revision up to which the annex was read. Where that failed, revision is later: it is the one at
	// which that was found, so that until (Unix nanoseconds) nobody tries again. Else they are the same, and until is
	// when the next delegation ends.
	read, revision, until int64
	// number counts the states, so that who kept something of one knows whether there is another.
	number uint64
	// keys and given are the keys and the delegations in force by their ids.
	keys  map[string]*Key
	given map[string]Delegation
	// holders by the digests of their secrets. A map does not compare in constant time, and need not: who
	// guesses chooses a secret, not its digest, and the map's hash is seeded anew in every process.
	holders map[Digest]*holder
	// rates are by the id of the key, delegations by that of the grantee.
	rates       map[string]*rate.Limiter
	delegations map[string][]Delegation
}

// holder is a secret that is or was taken.
type holder struct {
	grant *Grant
	// end is when it ends, in Unix nanoseconds; revoked that it has.
	end     int64
	revoked bool
}

// holder returns the holder of a secret, nil for none.
func (s *state) holder(secret string) *holder {
	digest, ok := digestOf(secret)
	if !ok {
		return nil
	}
	return s.holders[digest]
}

// at returns the grant of a holder, which may be nil, at an instant, or why there is none.
func (h *holder) at(now time.Time) (*Grant, reason) {
	switch {
	case h == nil:
		return nil, reasonUnknown
	case h.revoked:
		return nil, reasonRevoked
	case now.UnixNano() >= h.end:
		return nil, reasonExpired
	}
	return h.grant, reasonNone
}

// newState reads the whole annex.
func newState(ctx context.Context, annex Annex, now time.Time) (*state, error) {
	s := &state{
		read: annex.AnnexRevision(), keys: map[string]*Key{}, given: map[string]Delegation{}, holders: map[Digest]*holder{},
		rates: map[string]*rate.Limiter{}, delegations: map[string][]Delegation{},
	}
	touched := map[string]bool{}
	for _, kind := range []bundles.Kind{bundles.KindDelegation, bundles.KindKey} {
		if err := annex.Annex(ctx, 0, kind, func(r bundles.Row) error { return s.take(r, touched) }); err != nil {
			return nil, err
		}
	}
	s.settle(touched, now)
	return s, nil
}

// next reads what has changed since. The rates of keys go on counting.
func (s *state) next(ctx context.Context, annex Annex, now time.Time) (*state, error) {
	n := &state{
		read: annex.AnnexRevision(), number: s.number + 1, keys: maps.Clone(s.keys), given: maps.Clone(s.given), holders: maps.Clone(s.holders),
		rates: maps.Clone(s.rates), delegations: maps.Clone(s.delegations),
	}
	touched := map[string]bool{}
	if err := annex.AnnexChanges(ctx, s.read, n.read, func(r bundles.Row) error { return n.take(r, touched) }); err != nil {
		return nil, err
	}
	n.settle(touched, now)
	return n, nil
}

// take takes a row over, and notes whose grants change by that.
func (s *state) take(r bundles.Row, touched map[string]bool) error {
	switch r.Kind {
	case bundles.KindKey:
		s.forget(r.ID)
		touched[r.ID] = true
		if r.Deleted {
			return nil
		}
		k, err := readKey(r)
		s.keys[r.ID] = &k
		return err
	case bundles.KindDelegation:
		touched[s.given[r.ID].Grantee] = true
		delete(s.given, r.ID)
		if r.Deleted {
			return nil
		}
		d, err := readDelegation(r)
		s.given[r.ID], touched[d.Grantee] = d, true
		return err
	}
	return nil
}

// forget leaves a key out.
func (s *state) forget(id string) {
	if k := s.keys[id]; k != nil {
		for _, secret := range k.Secrets {
			delete(s.holders, secret.SHA256)
		}
		delete(s.keys, id)
	}
}

// settle makes the grants of those whose keys or delegations are others now, at an instant.
func (s *state) settle(touched map[string]bool, now time.Time) {
	s.revision, s.until = s.read, math.MaxInt64
	for id, d := range s.given {
		if now.Before(d.Until) {
			s.until = min(s.until, d.Until.UnixNano())
			continue
		}
		delete(s.given, id)
		touched[d.Grantee] = true
	}
	for id := range touched {
		delete(s.delegations, id)
	}
	for _, id := range slices.Sorted(maps.Keys(s.given)) {
		if d := s.given[id]; touched[d.Grantee] {
			s.delegations[d.Grantee] = append(s.delegations[d.Grantee], d)
		}
	}
	for id := range touched {
		if k := s.keys[id]; k != nil {
			s.grant(k, now)
		}
	}
}

// grant lets the secrets of a key be taken, as far as they are.
func (s *state) grant(k *Key, now time.Time) {
	g := NewGrant(k.ID, k.Name, k.Roles, s.delegations[k.ID], now)
	if k.RatePerSecond > 0 {
		limit, burst := rate.Limit(k.RatePerSecond), 2*k.RatePerSecond
		if before := s.rates[k.ID]; before == nil || before.Limit() != limit {
			s.rates[k.ID] = rate.NewLimiter(limit, burst)
		}
		g.rate = s.rates[k.ID]
	} else {
		delete(s.rates, k.ID)
	}
	for _, secret := range k.Secrets {
		h := &holder{grant: g, end: math.MaxInt64, revoked: !k.RevokedAt.IsZero()}
		for _, end := range []time.Time{k.ExpiresAt, secret.EndsAt} {
			if !end.IsZero() {
				h.end = min(h.end, end.UnixNano())
			}
		}
		s.holders[secret.SHA256] = h
	}
}

// grantOf makes the grant of somebody without a key.
func (s *state) grantOf(i Identity, now time.Time) *Grant {
	return NewGrant(i.ID, i.Name, i.Roles, s.delegations[i.ID], now)
}
