package console

import (
	"log/slog"
	"net/http"
	"time"
)

// Server is an HTTP server whose clients cannot hold it up: 5 s for the header
// of a request, and for all of it, 30 s for the answer, 60 s between two, and
// 16 KiB of header. The caller listens, serves and shuts it down.
func Server(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
