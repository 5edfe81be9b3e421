// Package watcher looks at the marketplace without being asked: it polls the
// jobs, judges applications by the campaigns' rules, and turns what it sees
// into operations. It changes nothing on the marketplace itself.
package watcher

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
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

// Poll reads the list of jobs once and writes down what became of ours: their
// status, their applications, and what their filled seats are worth.
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
	listed, err := w.list(ctx, known)
	if err != nil {
		return err
	}
	now := w.Now()
	var seen []journal.Sighting
	var changed []change
	for _, job := range listed {
		own := known[job.ID]
		if executor.Foreign(own, job) {
			w.Suspect()
			continue
		}
		s := journal.Sighting{ID: job.ID, Status: statusOf(job.Status), Applications: job.Applications, Title: job.Title}
		seen = append(seen, s)
		changed = append(changed, compare(own, s)...)
		own.Status, own.Applications = s.Status, s.Applications
	}
	if err := w.Journal.See(ctx, now, seen); err != nil {
		return err
	}
	if err := w.lookForGone(ctx, known, listed); err != nil {
		return err
	}
	if err := w.learnSeats(ctx, known, listed); err != nil {
		return err
	}
	if err := w.consume(ctx, now, ours); err != nil {
		return err
	}
	return w.react(ctx, now, changed)
}

// list reads the pages of jobs until all of ours have been seen.
func (w *Watcher) list(ctx context.Context, known map[int64]*journal.Job) ([]api.Job, error) {
	missing := 0
	for _, job := range known {
		if job.Status != journal.JobGone {
			missing++
		}
	}
	var listed []api.Job
	for job, err := range w.Market.AllJobs(ctx, api.JobsAll) {
		if err != nil {
			return nil, err
		}
		own := known[job.ID]
		if own == nil {
			continue
		}
		listed = append(listed, job)
		if own.Status != journal.JobGone {
			missing--
		}
		if missing == 0 {
			break
		}
	}
	return listed, nil
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

// lookForGone asks for jobs that no list showed. A list may hide a job that
// waits for approval, so only its own address tells that it was deleted.
func (w *Watcher) lookForGone(ctx context.Context, known map[int64]*journal.Job, listed []api.Job) error {
	shown := make(map[int64]bool, len(listed))
	for _, job := range listed {
		shown[job.ID] = true
	}
	checks := 0
	for id, own := range known {
		if shown[id] || own.Status == journal.JobGone || own.Lane != "" || checks == goneChecks {
			continue
		}
		checks++
		_, err := w.Market.Job(ctx, id)
		if api.ReasonOf(err) != api.ReasonNotFound {
			continue
		}
		w.Suspect()
		now := w.Now()
		if err := w.Journal.See(ctx, now, []journal.Sighting{{ID: id, Status: journal.JobGone, Applications: own.Applications, Title: own.Title}}); err != nil {
			return err
		}
		if err := w.Journal.Alert(ctx, now, fmt.Sprintf("job:%d", id), fmt.Sprintf(
			"job %d of campaign %s was deleted on the marketplace: nothing more is done to it", id, own.Campaign)); err != nil {
			return err
		}
	}
	return nil
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

// consume writes what the filled seats of each campaign are worth.
func (w *Watcher) consume(ctx context.Context, now time.Time, jobs []journal.Job) error {
	worth := map[string]money.USD{}
	for _, job := range jobs {
		amount, err := job.Price.Times(int64(job.Filled()))
		if err != nil {
			return fmt.Errorf("job %d: %w", job.ID, err)
		}
		worth[job.Campaign] += amount
	}
	names := make([]string, 0, len(worth))
	for name := range worth {
		names = append(names, name)
	}
	if err := w.specs.Refresh(ctx, names); err != nil {
		return err
	}
	for name, amount := range worth {
		sp := w.specs.Get(name)
		if sp == nil || sp.Spec.Budget == nil {
			continue
		}
		for _, l := range journal.Limits(sp.Spec, now) {
			if l.Scope != journal.CampaignScope(name) {
				continue
			}
			if _, err := w.Journal.Consume(ctx, now, l, amount); err != nil {
				return err
			}
		}
	}
	return nil
}

// change is something that happened to a job between two looks at it.
type change struct {
	// job is as it is now.
	job   journal.Job
	event campaigns.Event
}

func compare(own *journal.Job, s journal.Sighting) []change {
	var out []change
	now := *own
	now.Status, now.Applications = s.Status, s.Applications
	if s.Status == journal.JobFinished && own.Status == journal.JobOnline {
		out = append(out, change{job: now, event: campaigns.OnJobFinished})
	}
	if s.Applications > own.Applications {
		out = append(out, change{job: now, event: campaigns.OnNewApplication})
	}
	return out
}

// react plans the actions that wait for what happened.
func (w *Watcher) react(ctx context.Context, now time.Time, changed []change) error {
	slot := now.UTC().Truncate(time.Second)
	for _, c := range changed {
		sp := w.specs.Get(c.job.Campaign)
		if sp == nil || sp.State != journal.Active {
			continue
		}
		for i := range sp.Spec.Actions {
			a := &sp.Spec.Actions[i]
			if a.On != c.event {
				continue
			}
			if err := w.fire(ctx, sp, a, c.job, slot); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Watcher) fire(ctx context.Context, sp *journal.Spec, a *campaigns.Action, job journal.Job, slot time.Time) error {
	if a.Do == campaigns.DoRate {
		r := journal.Review{Campaign: sp.Spec.Name, Action: a.ID, Slot: slot}
		return errors.Join(w.Journal.AddReview(ctx, slot, r), w.StartReview(ctx, r))
	}
	view := job.View()
	var ops []planner.Operation
	if a.Do == campaigns.DoCreate {
		for _, op := range planner.Expand(sp.Spec, a, slot, nil) {
			if op.Item == job.Item {
				ops = append(ops, op)
			}
		}
	} else {
		ops = planner.Expand(sp.Spec, a, slot, []planner.Job{view})
	}
	next, err := w.Plan(ctx, ops)
	if err != nil {
		return err
	}
	return w.Enqueue(ctx, next)
}
