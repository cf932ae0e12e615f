package access

import (
	"context"
	"sync/atomic"
)

// stay is the Stay of a caller. What it shows is the same all through the stream, so it is read once, and the
// holder of a key is looked for again only where the keys are others than the last time.
type stay struct {
	access *Access
	ctx    context.Context //nolint:containedctx // it is the stream's
	asks   asking
	shown  shown
	last   atomic.Pointer[held]
}

// held is the holder of a key in the state of a number, nil for none. The state itself is not kept: a stream may
// be silent for long.
type held struct {
	state  uint64
	holder *holder
}

// Still implements Stay.
func (s *stay) Still() error { return s.admit(0) }

// Again implements Stay.
func (s *stay) Again() error { return s.admit(s.asks.calls) }

func (s *stay) admit(calls int) error {
	asks := asking{s.asks.need, calls}
	if asks.need == Public {
		return nil
	}
	if s.shown.key == "" {
		_, err := s.access.admit(s.ctx, asks, s.shown)
		return err
	}
	now := s.access.options.Now()
	keys := s.access.state(now)
	last := s.last.Load()
	if last == nil || last.state != keys.number {
		last = &held{keys.number, keys.holder(s.shown.key)}
		s.last.Store(last)
	}
	g, why := last.holder.at(now)
	_, err := s.access.judge(keys, g, why, asks, s.shown, now)
	return err
}
