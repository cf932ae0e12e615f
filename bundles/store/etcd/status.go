package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gec/bundles"
)

// status is how the copy stands to etcd.
type status struct {
	mu sync.Mutex
	// at is when the copy was last known to be at the head; zero: not since the start.
	at time.Time
	// err is what failed since, nil while all is well.
	err error
	// followed says that Run tries again by itself after a failure.
	followed bool
}

// follow says that Run is there.
func (s *status) follow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followed = true
}

// confirmed says that the copy is at the head now, and reports whether that is new.
func (s *status) confirmed() (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news = s.err != nil || s.at.IsZero()
	s.at, s.err = time.Now(), nil
	return news
}

// failed says what is wrong and reports whether that is new: the first failure, or one with another setting to blame.
func (s *status) failed(err error) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news = s.err == nil || fixIn(s.err) != fixIn(err)
	s.err = err
	return news
}

// fixIn returns what the error says of settings, empty where it says nothing.
func fixIn(err error) string {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused.Fix
	}
	return ""
}

// failed remembers what is wrong, logs it where it is new, and returns it.
func (s *Store) failed(err error) error {
	if s.status.failed(err) {
		s.o.Logger.Warn("the shared catalogue is away: quotes go on from this node's own copy", "error", err)
	}
	return err
}

// refusal returns why a change would fail, so that it fails at once. Only where something will find out that all is
// well again: else the change itself has to.
func (s *status) refusal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var diverged *DivergedError
	if errors.As(s.err, &diverged) {
		return s.err
	}
	if s.err != nil && (s.followed || !s.at.IsZero()) {
		return fmt.Errorf("%w: %s", bundles.ErrUnavailable, s.err.Error()) // its words: of whatever kind it was, trying again is all that helps
	}
	return nil
}

// Status is how the node's copy stands to etcd.
type Status struct {
	// Connected says that nothing failed since the copy was last at the head.
	Connected bool
	// Confirmed is when the copy was last known to be at the head, the zero time before the first time.
	Confirmed time.Time
	// Revision is the copy's, SharedRevision the last one that etcd showed.
	Revision, SharedRevision int64
	// Err is what failed since Confirmed, nil while Connected.
	Err error
}

// Age is how old the catalogue may be at most: the time since the copy was last known to be at the head.
// It is 0 before the first time; see Connected.
func (s Status) Age(now time.Time) time.Duration {
	if s.Confirmed.IsZero() {
		return 0
	}
	return max(now.Sub(s.Confirmed), 0)
}

// Status returns how the copy stands to etcd. It asks nothing of etcd.
func (s *Store) Status() Status {
	s.status.mu.Lock()
	defer s.status.mu.Unlock()
	out := Status{Connected: s.status.err == nil && !s.status.at.IsZero(), Confirmed: s.status.at, Err: s.status.err}
	if shared := s.shared.Load(); shared != nil {
		out.SharedRevision = shared.revision
	}
	if mine, err := s.Store.Head(context.Background()); err == nil {
		out.Revision = mine.Revision
	}
	return out
}

// Away returns the age of the catalogue while etcd cannot be reached, or was not yet since the start.
func (s *Store) Away() (age time.Duration, away bool) {
	s.status.mu.Lock()
	defer s.status.mu.Unlock()
	if s.status.err == nil && !s.status.at.IsZero() {
		return 0, false
	}
	return Status{Confirmed: s.status.at}.Age(time.Now()), true
}

// quotaBytesDefault is what an etcd that does not tell its quota has: its default.
const quotaBytesDefault = 2 << 30

// Space is that of the fullest member of etcd, in bytes.
type Space struct {
	// Used is the size of its database, which Quota bounds; InUse what of that is not free again.
	Used, InUse, Quota int64
	// Full says that etcd has raised NOSPACE: it refuses to store until an operator makes room and disarms the alarm.
	Full bool
}

// Refused receives after a change was refused for lack of space in etcd, once for any number of them.
func (s *Store) Refused() <-chan struct{} { return s.full }

// Space returns the space of the fullest member. Errors: ErrUnavailable when none answers.
func (s *Store) Space(ctx context.Context) (space Space, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answered := false
	for _, endpoint := range s.o.Endpoints {
		member, failure := s.client.Status(ctx, endpoint)
		if failure != nil {
			err = s.unavailable(failure)
			continue
		}
		answered = true
		space.Full = space.Full || slices.ContainsFunc(member.Errors, func(e string) bool { return strings.Contains(e, "NOSPACE") })
		if member.DbSize >= space.Used {
			space.Used, space.InUse, space.Quota = member.DbSize, member.DbSizeInUse, member.DbSizeQuota
		}
	}
	if answered {
		err = nil
	}
	if space.Quota == 0 {
		space.Quota = quotaBytesDefault
	}
	return space, err
}
