package node

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"gec/api/trace"
	"gec/cmd/gec/internal/config"
)

// flushTimeout is how long the collector has at a stop to take the last spans.
const flushTimeout = 5 * time.Second

// traces returns what makes spans, and the log with the ids of traces in it; nil, and the log as it is, where nothing
// is traced. The function that it returns sends what waits to be sent.
func traces(ctx context.Context, c config.Config, version string, log *slog.Logger) (*trace.Tracer, *slog.Logger, func(), error) {
	if c.Traces == off {
		return nil, log, func() {}, nil
	}
	tracer, err := trace.New(ctx, trace.Options{Endpoint: c.Traces, Ratio: c.TracesRatio, Version: version, Logger: log})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("--traces: %w", err)
	}
	log.Info("calls are traced", "collector", c.Traces, "ratio", c.TracesRatio)
	return tracer, trace.Log(log), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		if err := tracer.Close(ctx); err != nil {
			log.Warn("the last spans could not be sent", "error", err)
		}
	}, nil
}
