package rest

import (
	"log/slog"
	"net/http"
	"time"
)

// The bounds of a connection. A handler that takes long uploads, or sends long answers, moves the deadlines of
// its own request with http.ResponseController.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 120 * time.Second
	headerBytesMax    = 16 << 10
	streamsMax        = 128
)

// Server returns an HTTP server for a handler whose every wait is bounded, so that slow clients cannot hold
// connections for ever. It may serve any listener, and needs fewer calls of the system on one of [Listener]. The
// logger gets what goes wrong on connections, at slog.LevelWarn; it may be nil.
func Server(addr string, handler http.Handler, logger *slog.Logger) *http.Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
		HTTP2:             http2Bounds(),
		ConnContext:       withConn,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// http2Bounds are those of HTTP/2, which is spoken over TLS. Streams that a client resets count among the streams
// at a time until their handlers have ended, and the connection is closed when four times as many wait
// (CVE-2023-44487).
func http2Bounds() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: streamsMax,
		MaxReadFrameSize:     16 << 10,
		SendPingTimeout:      time.Minute,
		PingTimeout:          15 * time.Second,
		WriteByteTimeout:     writeTimeout,
	}
}
