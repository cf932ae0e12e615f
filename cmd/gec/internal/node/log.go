package node

import (
	"context"
	"io"
	"log/slog"

	"gec/cmd/gec/internal/config"
)

// NewLog returns the log that the settings ask for.
func NewLog(c config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo // unreachable: the settings know the levels
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// errorsOnly returns the log without anything below an error.
func errorsOnly(log *slog.Logger) *slog.Logger {
	return slog.New(errorsHandler{log.Handler()})
}

type errorsHandler struct{ slog.Handler }

func (h errorsHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}

func (h errorsHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return errorsHandler{h.Handler.WithAttrs(attributes)}
}

func (h errorsHandler) WithGroup(name string) slog.Handler {
	return errorsHandler{h.Handler.WithGroup(name)}
}
