package watcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// waiting keeps the applications that were read and wait for a verdict, job by
// job, so that those which are left to a person are not read again and again.
type waiting struct {
	mu   sync.Mutex
	jobs map[int64]map[int64]api.Application
	size int
}

// maxWaiting bounds how many applications are kept in memory.
const maxWaiting = 50_000

func (w *waiting) of(job int64) map[int64]api.Application {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.jobs[job]
}

func (w *waiting) keep(job int64, apps map[int64]api.Application) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.size -= len(w.jobs[job])
	delete(w.jobs, job)
	if w.size+len(apps) > maxWaiting {
		return
	}
	if w.jobs == nil {
		w.jobs = map[int64]map[int64]api.Application{}
	}
	w.jobs[job] = apps
	w.size += len(apps)
}

const (
	// relistEvery is how often a job is read again of which nothing new was
	// told: what a person did on the website shows then. Each read that brings
	// nothing doubles it, up to calmest times.
	relistEvery = time.Hour
	calmest     = 5
	// fewLost is how many applications that left the list are read one by one
	// where their verdict matters.
	fewLost = 20
	// pageTries is how often a page is asked for; a list of hundreds must
	// survive some failures.
	pageTries = 8
	maxPages  = 10_000
)

// look returns the applications of a job that wait for a verdict, and what is
// known of all others. It reads the list only where it may have changed, and no
// more of it than that takes.
func (w *Watcher) look(ctx context.Context, job journal.Job, history bool, asOf time.Time) ([]api.Application, map[int64]journal.Answer, error) {
	known, err := w.Journal.Answers(ctx, job.ID)
	if err != nil {
		return nil, nil, err
	}
	kept := w.waiting.of(job.ID)
	now := w.Now()
	if !job.SeenAt.Before(asOf) && !stale(job, known, kept, history, now) {
		return pending(kept, known), known, nil
	}
	l := listing{w: w, job: job, known: known, kept: kept, whole: history && !job.Whole}
	if err := l.read(ctx); err != nil {
		if api.ReasonOf(err) == api.ReasonNotFound {
			return nil, known, nil
		}
		return nil, nil, err
	}
	known, err = l.settle(ctx, now, history)
	if err != nil {
		return nil, nil, err
	}
	list := pending(l.rows, known)
	waits := make(map[int64]api.Application, len(list))
	for _, app := range list {
		waits[app.ID] = app
	}
	w.waiting.keep(job.ID, waits)
	return list, known, nil
}

// pending are those of some applications that have no verdict, by their ids.
func pending(apps map[int64]api.Application, known map[int64]journal.Answer) []api.Application {
	var out []api.Application
	for id, app := range apps {
		if known[id].Status == journal.AnswerPending {
			out = append(out, app)
		}
	}
	slices.SortFunc(out, func(a, b api.Application) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// stale tells whether a job's list may hold what is not known.
func stale(job journal.Job, known map[int64]journal.Answer, kept map[int64]api.Application, history bool, now time.Time) bool {
	if job.Listed.IsZero() || history && !job.Whole || job.Applications != job.Counted {
		return true
	}
	open := len(known) < job.Applications
	for id, a := range known {
		switch a.Status {
		case journal.AnswerPending, journal.AnswerRedo, journal.AnswerLost:
			open = true
		}
		if _, found := kept[id]; !found && a.Status == journal.AnswerPending {
			return true
		}
	}
	return open && now.Sub(job.Listed) >= relistEvery<<min(job.Calm, calmest)
}

// listing is one read of a job's applications.
type listing struct {
	w     *Watcher
	job   journal.Job
	known map[int64]journal.Answer
	kept  map[int64]api.Application
	// whole reads the rated ones too.
	whole bool

	rows map[int64]api.Application
	// fresh counts the hand-ins that were not known; part tells that the rest
	// of the list was known, and was not read.
	fresh int
	part  bool
}

// read asks for page after page until one brings nothing that this read has not
// had, or until all that was told to be new has come.
func (l *listing) read(ctx context.Context) error {
	status := api.Pending
	if l.whole {
		status = api.AnyStatus
	}
	l.rows = map[int64]api.Application{}
	expected := l.expected()
	for page := 1; page <= maxPages; page++ {
		apps, err := l.w.page(ctx, l.job.ID, status, page)
		if err != nil {
			return err
		}
		before := len(l.rows)
		for _, app := range apps {
			if _, again := l.rows[app.ID]; again {
				continue
			}
			l.rows[app.ID] = app
			if a, found := l.known[app.ID]; !found || !a.HandedIn.Equal(app.AppliedAt) || a.Proof != digest(app.Proof) {
				l.fresh++
			}
		}
		if len(l.rows) == before {
			return nil
		}
		if expected > 0 && l.fresh >= expected {
			l.part = true
			return nil
		}
	}
	return fmt.Errorf("the applications of job %d do not end within %d pages", l.job.ID, maxPages)
}

// expected is how many new applications the marketplace told of, where that is
// all that can have changed; 0 where the list must be read to its end.
func (l *listing) expected() int {
	if l.whole || l.job.Listed.IsZero() || l.job.Applications <= l.job.Counted {
		return 0
	}
	for id, a := range l.known {
		_, found := l.kept[id]
		if a.Status == journal.AnswerRedo || a.Status == journal.AnswerPending && !found {
			return 0
		}
	}
	return l.job.Applications - l.job.Counted
}

// page reads one page, and asks again where that fails.
func (w *Watcher) page(ctx context.Context, job int64, status api.ApplicationStatus, page int) ([]api.Application, error) {
	for try := 1; ; try++ {
		apps, err := w.Market.Applications(ctx, job, status, page)
		if err == nil {
			return apps, nil
		}
		var refused *api.Error
		if !errors.As(err, &refused) || try == pageTries || ctx.Err() != nil {
			return nil, err
		}
		switch refused.Reason {
		case api.ReasonNotFound, api.ReasonUnauthorized, api.ReasonInvalid, api.ReasonRefused, api.ReasonCanceled:
			return nil, err
		}
		if err := w.Rest(ctx, max(refused.RetryAfter, time.Second<<(try-1)/4)); err != nil {
			return nil, err
		}
	}
}

// settle writes what was read and returns what is known after it.
func (l *listing) settle(ctx context.Context, began time.Time, history bool) (map[int64]journal.Answer, error) {
	answers := make([]journal.Answer, 0, len(l.rows))
	for _, app := range l.rows {
		answers = append(answers, answerOf(app))
	}
	if err := l.w.Journal.KeepAnswers(ctx, l.job.ID, answers); err != nil {
		return nil, err
	}
	known, err := l.w.Journal.Answers(ctx, l.job.ID)
	if err != nil {
		return nil, err
	}
	lost := false
	if l.part {
		for id, app := range l.kept {
			if _, found := l.rows[id]; !found {
				l.rows[id] = app
			}
		}
	} else if lost, err = l.lost(ctx, known, history); err != nil {
		return nil, err
	}
	return known, l.note(ctx, began, known, lost)
}

// lost deals with applications that waited and are not on the list any more:
// someone else rated them. It tells whether the whole list must be read for
// their verdicts.
func (l *listing) lost(ctx context.Context, known map[int64]journal.Answer, history bool) (bool, error) {
	var gone []journal.Answer
	for id, a := range known {
		if _, found := l.rows[id]; !found && a.Status == journal.AnswerPending {
			a.Status = journal.AnswerLost
			gone = append(gone, a)
		}
	}
	if history && len(gone) <= fewLost {
		for i := range gone {
			app, err := l.w.Market.Application(ctx, gone[i].Application)
			if err == nil && app.Status != api.Pending {
				gone[i].Status = int(app.Status)
			}
		}
	}
	for _, a := range gone {
		known[a.Application] = a
	}
	return history && len(gone) > fewLost, l.w.Journal.KeepAnswers(ctx, l.job.ID, gone)
}

// note writes where the listing has come to. Where verdicts fell while it was
// read, rows may have moved past it to a page that was read before: the number
// it was read at is then written as one that is not the job's.
func (l *listing) note(ctx context.Context, began time.Time, known map[int64]journal.Answer, lost bool) error {
	n := journal.Listing{
		Job: l.job.ID, At: began, Counted: max(l.job.Applications, len(known)), Whole: (l.whole || l.job.Whole) && !lost, Calm: l.job.Calm + 1,
	}
	if l.fresh > 0 {
		n.Calm = 0
	}
	if l.part {
		n.Counted = l.job.Counted + l.fresh
	}
	for id, a := range known {
		was := l.known[id]
		if was.Status == journal.AnswerPending && a.Status != journal.AnswerPending && a.Status != journal.AnswerLost && !l.part {
			n.Counted = -1
		}
		if a.Status != journal.AnswerPending {
			continue
		}
		n.Pending++
		if n.Oldest.IsZero() || a.HandedIn.Before(n.Oldest) {
			n.Oldest = a.HandedIn
		}
	}
	return l.w.Journal.Listed(ctx, n)
}
