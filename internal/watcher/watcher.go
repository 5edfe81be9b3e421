// Package watcher looks at the marketplace without being asked: it polls the
// jobs, judges applications by the campaigns' rules, and turns what it sees
// into operations. It changes nothing on the marketplace itself.
package watcher

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Marketplace is what the watcher reads. api.Client documents the methods.
type Marketplace interface {
	Job(ctx context.Context, id int64) (api.Job, error)
	AllJobs(ctx context.Context, filter api.JobFilter) iter.Seq2[api.Job, error]
	Applications(ctx context.Context, job int64, status api.ApplicationStatus, page int) ([]api.Application, error)
	Application(ctx context.Context, id int64) (api.Application, error)
}

// Config is what a watcher is made of.
type Config struct {
	Journal *journal.Journal
	Market  Marketplace
	Now     func() time.Time
	Log     *slog.Logger
	// Plan writes operations and returns the new ones, to be enqueued.
	Plan func(ctx context.Context, ops []planner.Operation) ([]executor.Next, error)
	// Enqueue puts them on their queues; StartReview a rating run.
	Enqueue     func(ctx context.Context, next []executor.Next) error
	StartReview func(ctx context.Context, r journal.Review) error
	// Rest waits between two tries of a read. Default: by the wall clock.
	Rest func(ctx context.Context, d time.Duration) error
	// Suspect is told that a job of ours carries another's marker, or is gone: an
	// audit finds out whether its create was told of a wrong job. Nil ignores it.
	Suspect func()
}

// Watcher polls the marketplace and judges applications.
type Watcher struct {
	Config
	specs   *journal.Specs
	waiting waiting
	// polls counts the polls, which come one after another; quiet those in a row
	// that found nothing new.
	polls int
	quiet atomic.Int64
}

// New returns a watcher.
func New(cfg Config) *Watcher {
	if cfg.Rest == nil {
		cfg.Rest = rest
	}
	if cfg.Suspect == nil {
		cfg.Suspect = func() {}
	}
	return &Watcher{Config: cfg, specs: journal.NewSpecs(cfg.Journal)}
}

// rest waits by the wall clock.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Poll reads lists of jobs and writes down what became of ours: their status,
// their applications, and what their filled seats are worth. Jobs that are
// online are read each time; all of them are now and then.
func (w *Watcher) Poll(ctx context.Context) error {
	ours, err := w.Journal.AllJobs(ctx)
	if err != nil || len(ours) == 0 {
		return err
	}
	if err := w.watchDeadlines(ctx, ours); err != nil {
		return err
	}
	known := make(map[int64]*journal.Job, len(ours))
	for i := range ours {
		known[ours[i].ID] = &ours[i]
	}
	listed, err := w.jobs(ctx, known)
	if err != nil {
		return err
	}
	now := w.Now()
	news, err := w.see(ctx, now, known, listed)
	if err != nil {
		return err
	}
	w.keepPace(news)
	if err := w.learnSeats(ctx, known, listed); err != nil {
		return err
	}
	if err := w.consume(ctx, now, ours); err != nil {
		return err
	}
	return w.react(ctx)
}

// see writes what was read of jobs and tells whether any of it is new.
func (w *Watcher) see(ctx context.Context, now time.Time, known map[int64]*journal.Job, listed []api.Job) (news bool, err error) {
	var seen []journal.Sighting
	for _, job := range listed {
		own := known[job.ID]
		if executor.Foreign(own, job) {
			w.Suspect()
			continue
		}
		s := journal.Sighting{ID: job.ID, Status: statusOf(job.Status), Applications: job.Applications, Title: job.Title}
		seen = append(seen, s)
		news = news || own.Status != s.Status || own.Applications != s.Applications
		own.Status, own.Applications = s.Status, s.Applications
	}
	return news, w.Journal.See(ctx, now, seen)
}

const (
	// allEvery is after how many polls all jobs are read, not those online alone:
	// finished jobs change only by what is done on the website.
	allEvery = 10
	// slowest is how much longer than usual a poll is waited for while nothing
	// changes.
	slowest = 4
)

// Pace is how long to wait until the next poll: the given time while something
// happens, up to four times as long while nothing does.
func (w *Watcher) Pace(busy time.Duration) time.Duration {
	return time.Duration(float64(busy) * min(slowest, 1+float64(w.quiet.Load())/4))
}

func (w *Watcher) keepPace(news bool) {
	if news {
		w.quiet.Store(0)
		return
	}
	w.quiet.Add(1)
}

// jobs reads the jobs that may have changed. Where few of them are not on the
// list of those online they are asked for one by one, else all jobs are listed.
func (w *Watcher) jobs(ctx context.Context, known map[int64]*journal.Job) ([]api.Job, error) {
	if w.polls++; w.polls%allEvery != 1 {
		listed, err := w.list(ctx, known, api.JobsOnline, func(s journal.JobStatus) bool { return s == journal.JobOnline })
		if err != nil {
			return nil, err
		}
		absent := missing(known, listed, func(s journal.JobStatus) bool { return s == journal.JobOnline || s == journal.JobWaiting })
		if len(absent) <= goneChecks {
			more, err := w.askFor(ctx, known, absent)
			return append(listed, more...), err
		}
	}
	listed, err := w.list(ctx, known, api.JobsAll, func(s journal.JobStatus) bool { return s != journal.JobGone })
	if err != nil {
		return nil, err
	}
	absent := missing(known, listed, func(s journal.JobStatus) bool { return s != journal.JobGone })
	more, err := w.askFor(ctx, known, absent[:min(len(absent), goneChecks)])
	return append(listed, more...), err
}

// list reads the pages of jobs until all of ours that are expected were seen.
func (w *Watcher) list(ctx context.Context, known map[int64]*journal.Job, filter api.JobFilter, expected func(journal.JobStatus) bool) ([]api.Job, error) {
	left := 0
	for _, job := range known {
		if expected(job.Status) {
			left++
		}
	}
	if left == 0 && filter == api.JobsOnline {
		return nil, nil
	}
	var listed []api.Job
	for job, err := range w.Market.AllJobs(ctx, filter) {
		if err != nil {
			return nil, err
		}
		own := known[job.ID]
		if own == nil {
			continue
		}
		listed = append(listed, job)
		if expected(own.Status) {
			left--
		}
		if left == 0 {
			break
		}
	}
	return listed, nil
}

// missing are the jobs that a list did not show and that are expected somewhere.
func missing(known map[int64]*journal.Job, listed []api.Job, expected func(journal.JobStatus) bool) []int64 {
	shown := make(map[int64]bool, len(listed))
	for _, job := range listed {
		shown[job.ID] = true
	}
	var ids []int64
	for id, own := range known {
		if !shown[id] && own.Lane == "" && expected(own.Status) {
			ids = append(ids, id)
		}
	}
	return ids
}

func statusOf(s api.JobStatus) journal.JobStatus {
	switch s {
	case api.JobOnline:
		return journal.JobOnline
	case api.JobFinished:
		return journal.JobFinished
	}
	return journal.JobWaiting
}

// goneChecks bounds how many missing jobs one poll asks for by their ids.
const goneChecks = 5

// askFor reads jobs that no list showed. A list may hide a job that waits for
// approval, so only its own address tells that it was deleted.
func (w *Watcher) askFor(ctx context.Context, known map[int64]*journal.Job, ids []int64) ([]api.Job, error) {
	var found []api.Job
	for _, id := range ids {
		job, err := w.Market.Job(ctx, id)
		switch {
		case err == nil:
			found = append(found, job)
		case api.ReasonOf(err) == api.ReasonNotFound && !known[id].Young(w.Now()):
			if err := w.gone(ctx, known[id]); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// gone notes that a job was deleted on the marketplace.
func (w *Watcher) gone(ctx context.Context, own *journal.Job) error {
	w.Suspect()
	now := w.Now()
	if err := w.Journal.See(ctx, now, []journal.Sighting{{ID: own.ID, Status: journal.JobGone, Applications: own.Applications, Title: own.Title}}); err != nil {
		return err
	}
	own.Status = journal.JobGone
	return w.Journal.Alert(ctx, now, fmt.Sprintf("job:%d", own.ID), fmt.Sprintf(
		"job %d of campaign %s was deleted on the marketplace: nothing more is done to it", own.ID, own.Campaign))
}

// learnSeats finds out whether the marketplace's number of seats counts all
// that were bought or those that are left: the first job of ours with
// applications in which the two differ tells.
func (w *Watcher) learnSeats(ctx context.Context, known map[int64]*journal.Job, listed []api.Job) error {
	fact, err := w.Journal.Recall(ctx, executor.FactSeats)
	if err != nil || fact != "" {
		return err
	}
	for _, job := range listed {
		if mean := executor.MeaningOf(known[job.ID], job); mean != "" {
			return w.Journal.Remember(ctx, executor.FactSeats, string(mean))
		}
	}
	return nil
}

// consume writes what the filled seats of each campaign, and of all of a file,
// are worth.
func (w *Watcher) consume(ctx context.Context, now time.Time, jobs []journal.Job) error {
	worth := map[string]money.USD{}
	for _, job := range jobs {
		amount, err := job.Consumed()
		if err != nil {
			return fmt.Errorf("job %d: %w", job.ID, err)
		}
		worth[job.Campaign] += amount
	}
	if err := w.specs.Refresh(ctx, slices.Collect(maps.Keys(worth))); err != nil {
		return err
	}
	limits, by := map[string]journal.Limit{}, map[string]money.USD{}
	for name, amount := range worth {
		sp := w.specs.Get(name)
		if sp == nil {
			continue
		}
		for _, l := range journal.Limits(sp.Spec, now) {
			if l.Cap >= 0 {
				limits[l.Scope] = l
				by[l.Scope] += amount
			}
		}
	}
	for scope, l := range limits {
		if _, err := w.Journal.Consume(ctx, now, l, by[scope]); err != nil {
			return err
		}
	}
	return nil
}
