package executor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// prepareCreate renders the job, adds its marker and asks for its price.
func prepareCreate(ctx context.Context, e *Executor, op *journal.Op, sp *journal.Spec) (*call, error) {
	job, err := newJob(ctx, e, op, sp)
	if err != nil {
		return nil, err
	}
	got, err := e.priceOf(ctx, op, job)
	if err != nil {
		return nil, err
	}
	c := &call{
		amount: got.cost, quote: &got.cost, shape: Shape(job),
		evidence: &evidence{Seats: job.Seats, Price: job.Price, Category: job.CategoryID},
		send: func(ctx context.Context) (effect, error) {
			r, err := e.Market.CreateJob(ctx, job)
			return made(op, job, r), err
		},
	}
	if got.jobID != 0 {
		c.accident, c.job = &got, job
		// The quote was the create: what it made is booked, and nothing is sent.
		r := api.Receipt{JobID: got.jobID, Cost: got.cost}
		c.send = func(context.Context) (effect, error) { return made(op, job, r), nil }
	}
	return c, nil
}

// priceOf asks what a create costs. Where the price was asked for before and
// nobody knows the answer, as it was lost or the process died, the question may
// have made the job: then that is the create, or, where its price is not known, it
// is taken back before the create goes on.
func (e *Executor) priceOf(ctx context.Context, op *journal.Op, job api.NewJob) (quoted, error) {
	if !op.Asked {
		return e.quotes.quote(ctx, op.ID, "", job)
	}
	if kept, ok := e.quotes.accidents.Load(op.Marker()); ok {
		got, _ := kept.(quoted)
		return got, nil
	}
	token, err := e.quotes.leave(ctx, op.ID, e.AskWithin)
	if err != nil {
		return quoted{}, err
	}
	got, err := e.foundByQuestion(ctx, op, token, job)
	if err != nil {
		// The question that came before is still to be looked for.
		err = errors.Join(err, e.quotes.answered(ctx, op.ID, token, true))
	}
	return got, err
}

// foundByQuestion looks for the job that a question may have made whose answer is
// not known, before the price is asked again. The caller has the leave to ask.
func (e *Executor) foundByQuestion(ctx context.Context, op *journal.Op, token string, job api.NewJob) (quoted, error) {
	found, err := e.withoutOwner(ctx, op.Marker())
	if err != nil {
		return quoted{}, err
	}
	if found == 0 {
		return e.quotes.quote(ctx, op.ID, token, job)
	}
	// Another worker may have gone on meanwhile, and made the job in earnest.
	still, err := e.unmoved(ctx, op)
	if err != nil {
		return quoted{}, err
	}
	if !still {
		return quoted{}, &later{after: firstBackoff}
	}
	cost, known, err := e.Journal.Quote(ctx, Shape(job))
	if err != nil {
		return quoted{}, err
	}
	if known {
		return quoted{cost: cost, jobID: found, question: token, asked: e.Now()}, nil
	}
	undone := e.undoQuote(ctx, job, quoted{jobID: found, asked: e.Now()})
	var h *halt
	if !errors.As(undone, &h) {
		return quoted{}, undone
	}
	err = errors.Join(e.quotes.answered(ctx, op.ID, token, false),
		e.Journal.Alert(ctx, e.Now(), "get_cost", fmt.Sprintf("operation %s: %v", op.ID, undone)))
	if err != nil {
		return quoted{}, err
	}
	return quoted{}, &later{reason: undone.Error()}
}

// unmoved tells whether an operation still is as it was read.
func (e *Executor) unmoved(ctx context.Context, op *journal.Op) (bool, error) {
	now, err := e.Journal.Load(ctx, []string{op.ID})
	if err != nil || len(now) == 0 {
		return false, err
	}
	return now[0].State == op.State && now[0].Attempts == op.Attempts && now[0].Asked == op.Asked, nil
}

// withoutOwner finds the job that carries a marker and is in nobody's books; 0
// where there is none.
func (e *Executor) withoutOwner(ctx context.Context, marker string) (int64, error) {
	for job, err := range e.Market.AllJobs(ctx, api.JobsAll) {
		if err != nil {
			return 0, err
		}
		if markerOf(job) != marker {
			continue
		}
		_, err := e.Journal.Job(ctx, job.ID)
		if errors.Is(err, journal.ErrNotFound) {
			return job.ID, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// ownJob reads the job that an operation acts on. One that carries another
// marker than the books expect is another job: nothing is done to it before an
// audit has corrected the books.
func (e *Executor) ownJob(ctx context.Context, op *journal.Op) (api.Job, error) {
	held, err := e.held(ctx, op)
	if err != nil {
		return api.Job{}, err
	}
	if held {
		return api.Job{}, e.inLine(op)
	}
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return job, err
	}
	if markerOf(job) == "" {
		return job, nil
	}
	own, err := e.Journal.Job(ctx, op.JobID)
	if errors.Is(err, journal.ErrNotFound) {
		return job, nil
	}
	if err != nil {
		return job, err
	}
	if Foreign(own, job) {
		e.Suspect()
		return job, &later{after: time.Minute, reason: fmt.Sprintf(
			"job %d carries %s, and the books expect %s on it: `enqueue audit` finds the right job", op.JobID, markerOf(job), own.Marker())}
	}
	// Nothing has happened to the job since the operation was loaded.
	if own.Generation == op.Generation {
		e.learnSeats(ctx, own, job)
	}
	return job, nil
}

// Foreign tells whether a job as it was read carries another marker than the
// books expect on it: a create was told of a wrong job. One that carries none
// was edited by a person.
func Foreign(own *journal.Job, job api.Job) bool {
	want, got := own.Marker(), markerOf(job)
	return want != "" && got != "" && want != got
}

// newJob is the job of a create as it is sent.
func newJob(ctx context.Context, e *Executor, op *journal.Op, sp *journal.Spec) (api.NewJob, error) {
	rendered, err := renderedJob(op, sp)
	if err != nil {
		return api.NewJob{}, err
	}
	job, err := e.dir.resolve(ctx, rendered)
	if err != nil {
		return api.NewJob{}, err
	}
	return withMarker(job, op.Marker()), nil
}

func renderedJob(op *journal.Op, sp *journal.Spec) (campaigns.Job, error) {
	if op.Manual != nil && op.Manual.Job != nil {
		return *op.Manual.Job, nil
	}
	if sp == nil || sp.Spec.Job == nil {
		return campaigns.Job{}, &halt{to: planner.Canceled, reason: "the campaign no longer describes a job"}
	}
	item, ok := sp.Items[op.Item]
	if !ok {
		return campaigns.Job{}, &halt{to: planner.Canceled, reason: fmt.Sprintf("item %q is no longer in the campaign", op.Item)}
	}
	job, err := sp.Spec.Render(item)
	if err != nil {
		return job, reject("%v", err)
	}
	return job, nil
}

// withMarker adds the line by which the job is found again. An automated job's
// steps are content to be acted on, so there the title carries it.
func withMarker(job api.NewJob, marker string) api.NewJob {
	if job.Automated {
		job.Title += " " + marker
	} else {
		job.Steps = append(slices.Clone(job.Steps), marker)
	}
	return job
}

// withoutMarkers are the steps of a job as a person wrote them.
func withoutMarkers(steps []string) []string {
	return slices.DeleteFunc(slices.Clone(steps), func(step string) bool { return planner.FindMarker([]string{step}) != "" })
}

// markerOf finds the marker of a job as it was read.
func markerOf(job api.Job) string {
	if m := planner.FindMarker(job.Steps); m != "" {
		return m
	}
	return planner.FindMarker([]string{job.Title})
}

func made(op *journal.Op, job api.NewJob, r api.Receipt) effect {
	return effect{
		cost: &r.Cost, jobID: r.JobID,
		made: &journal.Made{Item: op.Item, Slot: op.Slot, Seats: job.Seats, Price: job.Price},
	}
}

// verifyCreate looks for the marker through the whole list of jobs. A job
// without any marker that could be the one, its text edited by a person since,
// leaves it undecided.
func verifyCreate(ctx context.Context, e *Executor, op *journal.Op, ev evidence) (verdict, error) {
	marker := op.Marker()
	begun := begunAt(op)
	var suspect *api.Job
	for job, err := range e.Market.AllJobs(ctx, api.JobsAll) {
		if err != nil {
			return verdict{}, err
		}
		found := markerOf(job)
		if found == marker {
			// One that was taken back, or put aside as a duplicate, is known.
			own, err := e.Journal.Job(ctx, job.ID)
			if err == nil && own.Campaign == planner.ManualCampaign && own.Op != op.ID {
				continue
			}
			return foundJob(op, job, ev), nil
		}
		if found == "" && job.Price == ev.Price && job.Category == ev.Category && !job.CreatedAt.Before(begun.Add(-clockSkew)) {
			if _, err := e.Journal.Job(ctx, job.ID); err != nil {
				suspect = &job
			}
		}
	}
	if suspect != nil {
		return verdict{
			finding: undecided, shot: shoot(*suspect),
			why: fmt.Sprintf("no job carries %s, but job %d is as new, has the same price and category, and no marker at all", marker, suspect.ID),
		}, nil
	}
	return verdict{finding: notDone, why: "no job carries " + marker}, nil
}

// clockSkew is how far our clock and the marketplace's may be apart: an hour, as
// after a change of summer time that one of them missed, and a little.
const clockSkew = 70 * time.Minute

func foundJob(op *journal.Op, job api.Job, ev evidence) verdict {
	cost := op.Reserved
	return verdict{
		finding: done, shot: shoot(job), why: fmt.Sprintf("job %d carries its marker", job.ID),
		eff: effect{
			cost: &cost, jobID: job.ID, note: fmt.Sprintf("found as job %d", job.ID),
			made: &journal.Made{Item: op.Item, Slot: op.Slot, Seats: ev.Seats, Price: ev.Price},
		},
	}
}

// begunAt is when the last attempt was begun.
func begunAt(op *journal.Op) time.Time {
	for _, e := range slices.Backward(op.History()) {
		if e.State == planner.Sending {
			return time.UnixMilli(e.At)
		}
	}
	return op.CreatedAt
}

func same(a money.USD) *money.USD { return &a }
