package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/examples"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/runner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

const (
	// demoScale makes a day last four seconds.
	demoScale = 21600
	// demoDays is how much simulated time the demonstration shows.
	demoDays    = 8
	demoBalance = 500 * money.Dollar
)

// demo runs a spec against the simulated marketplace.
type demo struct {
	path   string
	stay   bool
	listen string
	stdout io.Writer
	stderr io.Writer

	start  time.Time
	now    func() time.Time
	file   *campaigns.File
	market *sandbox.Sandbox
	runner *runner.Runner
}

func demoCommand(stdout, stderr io.Writer) *cobra.Command {
	d := demo{stdout: stdout, stderr: stderr}
	cmd := &cobra.Command{
		Use:   "demo [FILE]",
		Short: "The main job with nothing installed: a simulated marketplace, a week in half a minute",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.MaximumNArgs(1)(cmd, args); err != nil {
				return &usageError{err}
			}
			return nil
		},
		Example: "  runner demo\n  runner demo my.yaml --stay",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				d.path = args[0]
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&d.stay, "stay", false, "keep the console up afterwards, until Ctrl-C")
	cmd.Flags().StringVar(&d.listen, "listen", "127.0.0.1:0", "loopback address of the console; port 0 picks a free one")
	return cmd
}

// run shows the whole main job. What it started it ends, also when interrupted.
func (d *demo) run(ctx context.Context) (err error) {
	if host, _, serr := net.SplitHostPort(d.listen); serr != nil || !loopback(host) {
		return &usageError{fmt.Errorf("--listen %q must be a loopback address such as 127.0.0.1:0", d.listen)}
	}
	if err := d.load(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "campaign-runner-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	stop, err := d.begin(ctx, dir)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	err = d.watch(ctx)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(d.stderr, "stopped: nothing is left behind")
		return nil
	}
	return err
}

// load reads the spec: a file of the user's, or the example.
func (d *demo) load() error {
	var err error
	if d.path != "" {
		d.file, err = campaigns.Load(d.path)
	} else {
		var body []byte
		if body, err = examples.Files.ReadFile(examples.Spec); err == nil {
			d.file, err = campaigns.Parse("examples/"+examples.Spec, body, examples.Files)
		}
	}
	var faults campaigns.Errors
	if errors.As(err, &faults) {
		return &usageError{err}
	}
	return err
}

// begin starts the marketplace and the runner. The returned function ends both,
// also where begin failed half-way.
func (d *demo) begin(ctx context.Context, dir string) (func() error, error) {
	d.start = time.Now()
	d.now = sandbox.ScaledClock(d.start, demoScale)
	d.market = sandbox.New(sandbox.Config{Seed: 7, Now: d.now, Balance: demoBalance})
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return func() error { return nil }, err
	}
	live, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serveSandbox(live, d.market, ln) }()
	stop := func() error {
		var err error
		if d.runner != nil {
			err = d.runner.Close()
		}
		cancel()
		d.market.Close()
		return errors.Join(err, <-served)
	}
	d.runner, err = runner.Start(ctx, runner.Config{
		Settings: d.settings(dir, ln.Addr().String()), Log: d.logger(),
		Now: d.now, Scale: demoScale, Volatile: true, Version: version,
	})
	return stop, err
}

func (d *demo) settings(dir, market string) *settings.Settings {
	return &settings.Settings{
		APIKey: settings.NewSecret("demo"), APIURL: "http://" + market + "/api/v1",
		DataDir: filepath.Join(dir, "state"), Listen: d.listen,
		Concurrency: 16, APITimeout: 10 * time.Second, SettleAfter: time.Second,
	}
}

// logger keeps the daemon's log out of the picture but for what went wrong.
func (d *demo) logger() *slog.Logger {
	log := slog.New(slog.NewTextHandler(d.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	embedded.LogClient(log, time.Now)
	return log
}

// day is the simulated day, from 1, and the time of it, where the spec lives.
func (d *demo) day() string {
	zone := d.zone()
	now, first := d.now().In(zone), d.start.In(zone)
	midnight := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	n := int(midnight(now).Sub(midnight(first))/(24*time.Hour)) + 1
	return fmt.Sprintf("day %d %s", n, now.Format("15:04"))
}

func (d *demo) zone() *time.Location {
	loc, err := time.LoadLocation(d.file.Timezone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// tty tells whether a person watches.
func (d *demo) tty() bool { return output.IsTerminal(d.stderr) }
