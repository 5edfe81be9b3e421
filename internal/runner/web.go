package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/console"
)

// addrFile tells, in the data directory, where the console listens.
const addrFile = "runner.addr"

// web is the console and what it shows of the process.
type web struct {
	metrics *console.Metrics
	server  *http.Server
	addr    string
	file    string
	done    chan struct{}

	mu     sync.Mutex
	apiErr error
	asked  bool
}

func newWeb(version string) *web {
	return &web{metrics: console.NewMetrics(version), done: make(chan struct{})}
}

func (w *web) observe(x api.Exchange) { w.metrics.Observe(x) }

// setAPI keeps how the marketplace does, for /readyz.
func (w *web) setAPI(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.apiErr = true, err
}

func (w *web) apiState() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.asked {
		return "not asked yet", nil
	}
	return "ok", w.apiErr
}

// errStarting is what /readyz says until the workers run.
var errStarting = errors.New("the workers do not run")

// listen opens the console and tells its address in the data directory.
func (r *Runner) listen(ctx context.Context) error {
	s := r.cfg.Settings
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("the console cannot listen on %s: %w; choose another address with --listen", s.Listen, err)
	}
	w := r.web
	w.addr = ln.Addr().String()
	host, _, _ := net.SplitHostPort(s.Listen)
	h := console.New(console.Config{
		Journal: r.Journal, Now: r.cfg.Now, Log: r.cfg.Log, Token: s.ConsoleToken, CallbackSecret: s.CallbackSecret,
		OnCallback: r.hint,
		Ready: func(context.Context) error {
			if r.working.Load() {
				return nil
			}
			return errStarting
		},
		API: w.apiState, Metrics: w.metrics, Hosts: []string{host}, Version: r.cfg.Version,
	})
	w.server = console.Server(w.addr, h, r.cfg.Log)
	go func() {
		defer close(w.done)
		if err := w.server.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
			r.fail(fmt.Errorf("the console has ended: %w", err))
		}
	}()
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	w.file = filepath.Join(s.DataDir, addrFile)
	if err := os.WriteFile(w.file, []byte(w.addr+"\n"), 0o600); err != nil {
		return fmt.Errorf("console address: %w", err)
	}
	r.cfg.Log.Info("the console listens", "address", "http://"+w.addr+"/")
	return nil
}

// hint asks for a read of the job that is said to have changed, by whichever
// runner polls. Jobs that no campaign owns are nobody's business.
func (r *Runner) hint(ctx context.Context, h console.Hint) {
	if _, err := r.Journal.Hint(ctx, r.cfg.Now(), h.JobID, r.scaled(hintEvery)); err != nil {
		r.complain(ctx, "callback", err)
	}
}

// closeWithin bounds how long the console waits for pages under way.
const closeWithin = 3 * time.Second

func (w *web) close() error {
	if w.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	err := w.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = w.server.Close()
	}
	<-w.done
	if w.file != "" {
		err = errors.Join(err, os.Remove(w.file))
	}
	return err
}
