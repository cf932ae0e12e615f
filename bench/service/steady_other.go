//go:build !linux

package service

import (
	"context"
	"errors"
	"time"
)

// events would be the connections of an open loop.
type events struct{}

func (*events) close() error { return nil }

func (*Target) newEvents(context.Context, int) (*events, error) {
	return nil, errors.New("open loops are measured on Linux only")
}

// Steady measures an open loop on Linux; here it fails.
func (t *Target) Steady(ctx context.Context, connections int, _ float64, _, _ time.Duration) (*Run, error) {
	_, err := t.newEvents(ctx, connections)
	return nil, err
}
