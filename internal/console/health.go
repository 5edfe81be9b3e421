package console

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/output"
)

// readyWithin bounds how long readiness is looked for.
const readyWithin = 2 * time.Second

// healthz says that the process lives.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// readiness is the body of /readyz: "ok" or what is wrong.
type readiness struct {
	Redis   string `json:"redis"`
	Workers string `json:"workers"`
	// API is told and decides nothing: a marketplace that is out of order is no
	// reason to take the runner away.
	API string `json:"api"`
}

// readyz is 200 once Redis answers and the workers run.
func (c *console) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	body := readiness{Redis: wellness(c.Journal.Ping(ctx)), Workers: "ok", API: c.apiState()}
	if c.Ready != nil {
		body.Workers = wellness(c.Ready(ctx))
	}
	w.Header().Set("Content-Type", "application/json")
	if body.Redis != "ok" || body.Workers != "ok" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(body) // who asked may have gone
}

func wellness(err error) string {
	if err != nil {
		return output.Clean(err.Error())
	}
	return "ok"
}

// apiState is how the marketplace does, in words.
func (c *console) apiState() string {
	if c.API == nil {
		return "unknown"
	}
	text, err := c.API()
	if err != nil {
		text = err.Error()
	}
	return output.Clean(text)
}
