// Package console is what the runner shows over HTTP: a status page, health,
// metrics, and the address that the marketplace calls back. It reads the
// journal and changes nothing in it; what a callback says is handed on as a hint.
package console

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// Config is what a console is made from. Journal, Now and Log are required.
type Config struct {
	Journal *journal.Journal
	Now     func() time.Time
	Log     *slog.Logger
	// Token opens the console. Unset: it is open, and answers only on loopback.
	Token settings.Secret
	// CallbackSecret is the last segment of the callback path. Callbacks are
	// off while it is unset or OnCallback is nil.
	CallbackSecret settings.Secret
	// OnCallback is told of each callback, from the goroutine that answers it:
	// it should return soon. The hint is not to be believed without a read.
	OnCallback func(context.Context, Hint)
	// Ready is nil while the workers run. Default: they are taken to run.
	Ready func(context.Context) error
	// API tells how the marketplace does, for a person. Default "unknown".
	API func() (string, error)
	// Metrics are served at /metrics. Default: new ones.
	Metrics *Metrics
	// Hosts are names that the console is reached by, as "name" (at any port)
	// or "name:port", beside loopback and the address that it listens on.
	Hosts []string
	// Version is the program's own.
	Version string
}

// console serves all routes.
type console struct {
	Config
	specs    *journal.Specs
	hosts    hosts
	door     *door
	sessions *sessions
}

// New returns the handler of all routes.
func New(cfg Config) http.Handler {
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(cfg.Version)
	}
	c := &console{
		Config: cfg, specs: journal.NewSpecs(cfg.Journal), hosts: newHosts(cfg.Hosts),
		door: newDoor(cfg.Token, cfg.Now), sessions: newSessions(cfg.Now),
	}
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.AddInsecureBypassPattern(callbackRoute)
	return headers(c.recovered(c.hosts.only(crossOrigin.Handler(c.routes()))))
}

func (c *console) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /style.css", style)
	mux.HandleFunc("GET /login", c.askLogin)
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("POST /logout", c.logout)
	mux.HandleFunc(callbackRoute, c.callbacks())
	mux.Handle("GET /{$}", c.person(c.status))
	mux.Handle("GET /op/{id...}", c.person(c.operation))
	mux.Handle("GET /readyz", c.machine(http.HandlerFunc(c.readyz)))
	mux.Handle("GET /metrics", c.machine(c.metrics()))
	return mux
}
