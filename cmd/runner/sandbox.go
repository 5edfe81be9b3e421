package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// sandboxFlags say how the simulated marketplace behaves.
type sandboxFlags struct {
	listen   string
	faults   string
	seed     uint64
	scale    float64
	key      string
	pageSize int
	left     bool
	dates    bool
	log      int
}

func sandboxCommand(stdout, stderr io.Writer) *cobra.Command {
	var f sandboxFlags
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "The simulated marketplace alone, to rehearse a spec for free",
		Args:  noArgs,
		Example: "  runner sandbox --listen 127.0.0.1:9090 --time-scale 3600\n" +
			"  runner sandbox --faults 'create:drop_after=0.1,*:429=0.02'",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), stdout, stderr) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.listen, "listen", "127.0.0.1:9090", "loopback address of the API; port 0 picks a free one")
	fs.StringVar(&f.faults, "faults", "", "what goes wrong: route:kind=share, comma-separated")
	fs.Uint64Var(&f.seed, "seed", 1, "decides the simulated workers and the faults")
	fs.Float64Var(&f.scale, "time-scale", 1, "how many times faster than the clock its time runs")
	fs.StringVar(&f.key, "key", "", "the bearer token it accepts; empty accepts any")
	fs.IntVar(&f.pageSize, "page-size", 20, "rows on a page of a list")
	fs.BoolVar(&f.left, "seats-left", false, "availseats counts the seats left instead of all that were bought")
	fs.BoolVar(&f.dates, "retry-date", false, "write Retry-After as a date instead of in seconds")
	fs.IntVar(&f.log, "log", 4096, "how many of the latest requests /sandbox/requests tells")
	return cmd
}

func (f *sandboxFlags) config() (sandbox.Config, error) {
	plan, err := sandbox.ParseFaults(f.faults)
	if err != nil {
		return sandbox.Config{}, &usageError{err}
	}
	if f.scale <= 0 {
		return sandbox.Config{}, &usageError{fmt.Errorf("--time-scale %g must be above 0", f.scale)}
	}
	cfg := sandbox.Config{
		Key: f.key, Seed: f.seed, Faults: plan, PageSize: f.pageSize, RetryDate: f.dates, LogSize: f.log,
		Now: sandbox.ScaledClock(time.Now(), f.scale),
	}
	if f.left {
		cfg.Habits.Seats = sandbox.SeatsRemaining
	}
	return cfg, nil
}

func (f *sandboxFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	cfg, err := f.config()
	if err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(f.listen); err != nil || !loopback(host) {
		return &usageError{fmt.Errorf("--listen %q must be a loopback address such as 127.0.0.1:9090", f.listen)}
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("the sandbox cannot listen: %w; choose another address with --listen", err)
	}
	cfg.Site = "http://" + ln.Addr().String()
	sb := sandbox.New(cfg)
	defer sb.Close()
	fmt.Fprintf(stdout, "http://%s/api/v1\n", ln.Addr())
	fmt.Fprintf(stderr, "the simulated marketplace answers at the address above; its books are at http://%s/sandbox/books\n", ln.Addr())
	return serveSandbox(ctx, sb, ln)
}

// serveSandbox answers until the context ends.
func serveSandbox(ctx context.Context, sb *sandbox.Sandbox, ln net.Listener) error {
	server := &http.Server{Handler: sb, ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	live, cancel := context.WithCancel(ctx)
	defer cancel()
	go sb.Run(live, 100*time.Millisecond)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	err := server.Close()
	if serr := <-ended; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
