// Package simulation runs campaigns on a virtual clock against the simulated
// marketplace: the real planner, scheduler, executor, budgets and watcher, with
// a journal in this process's memory and a queue of its own. Months pass in
// seconds, and nothing outside is touched. The same seed gives the same result.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/assembly"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// Config says what is simulated.
type Config struct {
	Files []*campaigns.File
	// From is when the files are applied, For how long the campaigns then run.
	From time.Time
	For  time.Duration
	// Seed decides the workers, what they hand in, and how retries are spread.
	Seed uint64
	// Balance is what the account starts with, in USD.
	Balance money.USD
	// FillIn is how long the seats of a purchase take to fill, on average.
	FillIn time.Duration
	// Interval is the time between two requests under the rate limit; 0 is none.
	Interval time.Duration
	Log      *slog.Logger
	// Progress is told of the virtual time now and then; nil is told nothing.
	Progress func(now time.Time)
}

// How often the marketplace is looked at, where something waits for what happens
// there, and where nothing does. A runner looks more often; months of it would be
// most of the simulation's work.
const (
	pollEvery = 15 * time.Minute
	pollCalm  = 2 * time.Hour
)

// grace is how late a slot may be and still be on time.
const grace = time.Minute

// world is one simulation under way.
type world struct {
	cfg    Config
	end    time.Time
	clock  *clock
	rng    *rand.Rand
	market *sandbox.Sandbox

	assembly.Rooms
	journal *journal.Journal

	agenda agenda
	poll   time.Time
	pace   time.Time
	words  atomic.Int64
	caps   *capLog
}

// clock is the virtual time of everything.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// to moves the clock ahead; it never goes back.
func (c *clock) to(t time.Time) {
	if t.After(c.t) {
		c.t = t
	}
}

// Run simulates the files of a configuration.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	files, err := cfg.copyFiles()
	if err != nil {
		return nil, err
	}
	cfg.Files = files
	w := &world{
		cfg: cfg, end: cfg.From.Add(cfg.For), clock: &clock{cfg.From.UTC()},
		rng: rand.New(rand.NewPCG(cfg.Seed, 0)), //nolint:gosec // a simulation repeats itself
	}
	w.caps = &capLog{now: w.clock.now}
	w.market = sandbox.New(sandbox.Config{
		Seed: cfg.Seed, Now: w.clock.now, Wall: w.clock.now, Balance: cfg.Balance,
		Crowd: sandbox.Crowd{FillIn: cfg.FillIn}, LogSize: 1,
	})
	defer w.market.Close()
	if err := w.assemble(); err != nil {
		return nil, err
	}
	if err := w.apply(ctx); err != nil {
		return nil, err
	}
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	return w.result(ctx)
}

// assemble makes every room.
func (w *world) assemble() error {
	var err error
	if w.journal, err = journal.Open(memory.New(w.clock.now).Client()); err != nil {
		return err
	}
	key, err := api.NewKey("simulation")
	if err != nil {
		return err
	}
	client, err := api.New(api.Config{
		BaseURL: "http://127.0.0.1/api/v1", Key: key, Now: w.clock.now, Wait: w.wait, Transport: inProcess{w.market},
	})
	if err != nil {
		return err
	}
	w.Rooms = assembly.New(assembly.Config{
		Executor: executor.Config{
			Journal: &recorder{w.journal, w.caps}, Wait: w.wait, Now: w.clock.now, Draw: w.draw, Jitter: w.jitter,
			Log: w.cfg.Log, Concurrency: 1,
		},
		Journal: w.journal, Market: client, Queue: &w.agenda, Grace: grace, Abreast: 1,
	})
	return nil
}

// wait paces requests as the rate limit would: time passes until the next one.
func (w *world) wait(ctx context.Context) error {
	if w.cfg.Interval > 0 {
		w.clock.to(w.pace)
		w.pace = w.clock.now().Add(w.cfg.Interval)
	}
	return ctx.Err()
}

// draw returns a word that differs from all before; nobody guesses here.
func (w *world) draw() string {
	return strconv.FormatInt(w.words.Add(1), 10)
}

func (w *world) jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(w.rng.Int64N(int64(d)))
}

// apply makes the jobs that are adopted and registers the campaigns, as a
// person does with `enqueue apply`.
func (w *world) apply(ctx context.Context) error {
	if err := w.makeAdopted(); err != nil {
		return err
	}
	if _, err := w.Executor.Balance(ctx); err != nil {
		return err
	}
	plan, err := w.Operator.Plan(ctx, w.cfg.Files, operator.Options{})
	if err != nil {
		return err
	}
	_, err = w.Operator.Apply(ctx, plan)
	return err
}

// makeAdopted makes a job in the place of each that a campaign adopts.
func (w *world) makeAdopted() error {
	for _, f := range w.cfg.Files {
		for i := range f.Campaigns {
			c := &f.Campaigns[i]
			for k, id := range c.Adopt {
				made, err := w.market.AddJob(sandbox.Job{Title: fmt.Sprintf("Job %d, made by hand", id)})
				if err != nil {
					return fmt.Errorf("campaign %s: %w", c.Name, err)
				}
				c.Adopt[k] = made
			}
		}
	}
	return nil
}

// copyFiles copies what the simulation changes: the ids of adopted jobs.
func (c *Config) copyFiles() ([]*campaigns.File, error) {
	if c.For <= 0 {
		return nil, errors.New("a simulation needs a time to run for, such as 30d")
	}
	files := make([]*campaigns.File, len(c.Files))
	for i, f := range c.Files {
		copied := *f
		copied.Campaigns = append([]campaigns.Campaign{}, f.Campaigns...)
		for k := range copied.Campaigns {
			copied.Campaigns[k].Adopt = append([]int64(nil), copied.Campaigns[k].Adopt...)
		}
		files[i] = &copied
	}
	return files, nil
}

// pollEvery is short where an action or a budget waits for what workers do.
func (c *Config) pollEvery() time.Duration {
	for _, f := range c.Files {
		for i := range f.Campaigns {
			campaign := &f.Campaigns[i]
			if campaign.Budget != nil && campaign.Budget.Measure == campaigns.MeasureConsumed {
				return pollEvery
			}
			if slices.ContainsFunc(campaign.Actions, func(a campaigns.Action) bool { return a.On != "" }) {
				return pollEvery
			}
		}
	}
	return pollCalm
}

// progressEvery is how much virtual time passes between two tellings.
const progressEvery = 6 * time.Hour

// run lets time pass from one thing that happens to the next.
func (w *world) run(ctx context.Context) error {
	w.poll = w.clock.now().Add(w.cfg.pollEvery())
	told := w.clock.now()
	for {
		at, err := w.next(ctx)
		if err != nil {
			return err
		}
		if at.After(w.end) || w.clock.now().After(w.end) {
			return nil
		}
		w.clock.to(at)
		if err := w.step(ctx); err != nil {
			return err
		}
		if now := w.clock.now(); w.cfg.Progress != nil && now.Sub(told) >= progressEvery {
			told = now
			w.cfg.Progress(now)
		}
	}
}

// next is when something happens next.
func (w *world) next(ctx context.Context) (time.Time, error) {
	at := w.poll
	if due, ok := w.agenda.due(); ok && due.Before(at) {
		at = due
	}
	fire, ok, err := w.journal.NextFire(ctx)
	if err != nil {
		return at, err
	}
	if ok && fire.Before(at) {
		at = fire
	}
	return at, nil
}

// step does what is due: the schedule first, then what is in line, then a look
// at the marketplace.
func (w *world) step(ctx context.Context) error {
	for {
		n, err := w.Scheduler.Tick(ctx, "")
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	if err := w.performDue(ctx); err != nil {
		return err
	}
	if w.clock.now().Before(w.poll) {
		return nil
	}
	w.poll = w.clock.now().Add(w.cfg.pollEvery())
	return w.look(ctx)
}

// performDue carries out what is in line, and what follows it.
func (w *world) performDue(ctx context.Context) error {
	for !w.clock.now().After(w.end) {
		entry, ok := w.agenda.take(w.clock.now())
		if ok {
			if err := w.perform(ctx, entry); err != nil {
				return err
			}
			continue
		}
		if err := w.Scheduler.Chains(ctx); err != nil {
			return err
		}
		if due, more := w.agenda.due(); !more || due.After(w.clock.now()) {
			return nil
		}
	}
	return nil
}

func (w *world) perform(ctx context.Context, e entry) error {
	var next []executor.Next
	var err error
	if e.review != nil {
		next, err = w.Watcher.Review(ctx, *e.review)
	} else {
		next, err = w.Executor.Perform(ctx, []string{e.id})
	}
	if err != nil {
		return err
	}
	return w.agenda.Enqueue(ctx, next)
}

// look polls the marketplace and enforces budgets that it found consumed.
func (w *world) look(ctx context.Context) error {
	if err := w.Watcher.Poll(ctx); err != nil {
		return err
	}
	next, err := w.Executor.EnforceLatches(ctx)
	if err != nil {
		return err
	}
	return w.agenda.Enqueue(ctx, next)
}
