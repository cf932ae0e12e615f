package bearer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// When keys are fetched, and how many calls may wait for that.
const (
	// fetchInterval is the least time between the beginnings of two fetches: whoever makes up names of keys makes
	// one fetch in this time.
	fetchInterval = 10 * time.Second
	// keysFresh is the age from which on keys are fetched again, without anybody waiting, so that those that the
	// issuer withdrew are forgotten.
	keysFresh = 15 * time.Minute
	// waitersMax bounds the calls that wait for a fetch; further ones are refused at once.
	waitersMax = 1024
)

// keySet keeps the issuer's keys. It is safe for concurrent use.
type keySet struct {
	issuer *issuer
	log    *slog.Logger
	now    func() time.Time
	// current is replaced as a whole when the issuer's set has changed; nil before the first fetch. at is when it
	// was last fetched with success, in Unix nanoseconds.
	current         atomic.Pointer[set]
	at              atomic.Int64
	fetches, failed atomic.Int64
	waiting         atomic.Int64

	mu sync.Mutex
	// underway is closed when the fetch that goes on is over; nil while none does.
	underway chan struct{}
	// next is when the next fetch may begin.
	next time.Time
	// ctx ends fetches when the set is closed, and running waits for them.
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// set is what the issuer had at one time. It is not changed.
type set struct {
	text []byte
	keys []key
}

func newKeySet(c Config) *keySet {
	s := &keySet{issuer: newIssuer(c), log: c.Log, now: c.Now}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// close ends the fetch that goes on and waits for its end.
func (s *keySet) close() {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.running.Wait()
}

// usable returns the keys as they are known, nil when none are. Those that are old are fetched again meanwhile.
func (s *keySet) usable(now time.Time) *set {
	current := s.current.Load()
	if current != nil && now.UnixNano()-s.at.Load() > int64(keysFresh) {
		s.fetch(now)
	}
	return current
}

// find returns the key that a token is signed with, and the set that has it. When it is not known the issuer is
// asked, if it was not asked just now. Errors: UnknownKey, Unavailable.
func (s *keySet) find(ctx context.Context, now time.Time, id string, algorithm jose.SignatureAlgorithm) (any, *set, error) {
	current := s.usable(now)
	if current != nil {
		if key := find(current.keys, id, algorithm); key != nil {
			return key, current, nil
		}
	}
	if over := s.fetch(now); over != nil {
		if err := s.wait(ctx, over); err != nil {
			return nil, nil, err
		}
		if current = s.current.Load(); current != nil {
			if key := find(current.keys, id, algorithm); key != nil {
				return key, current, nil
			}
		}
	}
	if current == nil {
		return nil, nil, Unavailable
	}
	return nil, nil, UnknownKey
}

// wait returns when a fetch is over.
func (s *keySet) wait(ctx context.Context, over <-chan struct{}) error {
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > waitersMax {
		return Unavailable
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return errors.Join(Unavailable, ctx.Err())
	}
}

// fetch begins to fetch the keys unless that goes on already, and returns what is closed when it is over. It
// returns nil when it is too early to ask again.
func (s *keySet) fetch(now time.Time) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underway != nil {
		return s.underway
	}
	if now.Before(s.next) || s.ctx.Err() != nil {
		return nil
	}
	over := make(chan struct{})
	s.underway, s.next = over, now.Add(fetchInterval)
	s.running.Go(func() {
		s.load()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.underway = nil
		close(over)
	})
	return over
}

// load fetches the keys. When that fails, those that are known stay.
func (s *keySet) load() {
	s.fetches.Add(1)
	text, err := s.issuer.keys(s.ctx)
	if err == nil {
		if current := s.current.Load(); current != nil && bytes.Equal(current.text, text) {
			s.at.Store(s.now().UnixNano())
			return
		}
		var keys []key
		var refused []error
		if keys, refused, err = parseKeys(text); err == nil {
			s.at.Store(s.now().UnixNano())
			s.current.Store(&set{text, keys})
			s.log.Info("keys of the token issuer", "issuer", s.issuer.url, "keys", len(keys), "left_out", errors.Join(refused...))
			return
		}
	}
	if s.ctx.Err() == nil {
		s.failed.Add(1)
		s.log.Warn("the keys of the token issuer cannot be fetched", "issuer", s.issuer.url, "known", s.current.Load() != nil, "error", err)
	}
}
