package runner

import (
	"context"
	"errors"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/operator"
)

const (
	// leaseFor is how long a leader may be silent; standbys look as often as
	// renewEvery, so that they take over within 15 s.
	leaseFor   = 10 * time.Second
	renewEvery = 3 * time.Second
	tickEvery  = 100 * time.Millisecond
	latchEvery = time.Second
	sweepEvery = 5 * time.Second
	heedEvery  = 500 * time.Millisecond
	// hintEvery is how long a job that a callback named is not read again.
	hintEvery = 10 * time.Second
)

// lead plans, sweeps and polls while this runner holds the lease, and stands by
// while another one does.
func (r *Runner) lead(ctx context.Context) {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	var fence string
	var renew, latch, sweep time.Time
	polled, audited, heeded := newTurn(), newTurn(), newTurn()
	var now, poll, heed time.Time
	for {
		select {
		case <-ctx.Done():
			r.yield(fence)
			return
		case now = <-ticker.C:
		}
		if now.After(renew) {
			renew = now.Add(renewEvery)
			fence = r.renew(ctx, fence)
		}
		if fence == "" {
			continue
		}
		r.tick(ctx, &fence)
		if now.After(latch) {
			latch = now.Add(latchEvery)
			r.latches(ctx)
			r.chains(ctx)
		}
		if now.After(sweep) {
			sweep = now.Add(sweepEvery)
			if _, err := r.sweeper.Sweep(ctx); err != nil {
				r.complain(ctx, "sweep", err)
			}
		}
		if audited.free() && r.auditDue(now) {
			r.begin(audited, func() { r.audit(ctx) })
		}
		if heeded.free() && now.After(heed) {
			heed = now.Add(heedEvery)
			r.begin(heeded, func() { r.heed(ctx) })
		}
		if polled.free() && now.After(poll) {
			poll = now.Add(r.pollEvery())
			r.begin(polled, func() { r.poll(ctx) })
		}
	}
}

// turn is work beside the loop of which one is under way at a time. The loop
// alone begins it.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) free() bool { return len(t) == 0 }

func (r *Runner) begin(t turn, work func()) {
	t <- struct{}{}
	r.loops.Go(func() { work(); <-t })
}

// pollEvery keeps polling to a small share of the rate limit, and to less while
// nothing happens.
func (r *Runner) pollEvery() time.Duration {
	const least, most = time.Second, time.Minute
	return r.Watcher.Pace(min(max(20*r.cfg.Settings.RateLimit.Interval(), least), most))
}

// heed reads the jobs that callbacks named.
func (r *Runner) heed(ctx context.Context) {
	select {
	case <-r.verified:
	default:
		return
	}
	if err := r.Watcher.Heed(ctx); err != nil {
		r.complain(ctx, "callbacks", err)
	}
}

func (r *Runner) renew(ctx context.Context, fence string) string {
	got, err := r.Journal.Lead(ctx, r.holder, r.heir, leaseFor)
	if err != nil {
		r.complain(ctx, "lease", err)
		return ""
	}
	r.heir = "" // a lease of that name is a copy's from here on
	if got == "" {
		r.web.metrics.SetSchedulerLag(0)
	}
	if got != "" && fence == "" {
		r.cfg.Log.InfoContext(ctx, "this runner plans", "fence", got)
	}
	return got
}

// yield gives the lease back, so that a standby need not wait.
func (r *Runner) yield(fence string) {
	if fence == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := r.Journal.Yield(ctx, r.holder); err != nil {
		r.cfg.Log.WarnContext(ctx, "the lease could not be given back", "err", err)
	}
}

func (r *Runner) tick(ctx context.Context, fence *string) {
	_, err := r.Scheduler.Tick(ctx, *fence)
	if errors.Is(err, journal.ErrFenced) {
		*fence = ""
		r.web.metrics.SetSchedulerLag(0)
		return
	}
	if err != nil {
		r.complain(ctx, "schedule", err)
	}
}

func (r *Runner) latches(ctx context.Context) {
	next, err := r.Executor.EnforceLatches(ctx)
	if err == nil && len(next) > 0 {
		err = r.Tasks.Enqueue(ctx, next)
	}
	if err != nil {
		r.complain(ctx, "budgets", err)
	}
}

func (r *Runner) chains(ctx context.Context) {
	if err := r.Scheduler.Chains(ctx); err != nil {
		r.complain(ctx, "chains", err)
	}
}

func (r *Runner) poll(ctx context.Context) {
	select {
	case <-r.verified:
	default:
		return
	}
	err := r.Watcher.Poll(ctx)
	r.web.setAPI(err)
	if err == nil && r.polls.Add(1)%balanceEvery == 1 {
		_, err = r.Executor.Balance(ctx)
	}
	if err != nil {
		r.complain(ctx, "poll", err)
	}
}

// balanceEvery is after how many polls the balance is read again.
const balanceEvery = 5

func (r *Runner) complain(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		r.cfg.Log.WarnContext(ctx, what+" failed; it is tried again", "err", err)
	}
}

// verifyEvery is how often the account is asked for until it answers.
const verifyEvery = 5 * time.Second

// verify finds out whose account the key opens. Two accounts in one Redis would
// mix their books, so another one than the journal's ends the runner.
func (r *Runner) verify(ctx context.Context) {
	for first := true; ; first = false {
		err := r.verifyOnce(ctx)
		r.web.setAPI(err)
		var wrong *operator.AccountError
		switch {
		case err == nil:
			close(r.verified)
			if err := r.Journal.ClearAlert(ctx, "api"); err != nil {
				r.complain(ctx, "alerts", err)
			}
			return
		case ctx.Err() != nil:
			return
		case errors.As(err, &wrong):
			r.fail(err)
			return
		case first:
			r.cfg.Log.ErrorContext(ctx, "the marketplace cannot be used; work waits for it", "api", hostOf(r.cfg.Settings.APIURL), "err", err)
			if err := r.Journal.Alert(ctx, r.cfg.Now(), "api", err.Error()); err != nil {
				r.complain(ctx, "alerts", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(verifyEvery):
		}
	}
}

func (r *Runner) verifyOnce(ctx context.Context) error {
	if _, err := r.Operator.Account(ctx); err != nil {
		return err
	}
	_, err := r.Executor.Balance(ctx)
	return err
}
