package operator

import (
	"context"
	"fmt"
	"slices"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// LostError tells that the marketplace holds jobs of ours that the journal does
// not know: it was lost. To create anything now might buy the same jobs again.
type LostError struct {
	// Jobs are the jobs' ids, the oldest first.
	Jobs []int64
}

func (e *LostError) Error() string {
	const few = 5
	shown := e.Jobs[:min(few, len(e.Jobs))]
	return fmt.Sprintf("the marketplace holds %d jobs with our markers that this journal does not know, such as %v: "+
		"its state was lost. Run `enqueue recover FILE…` with all spec files first, so that nothing is bought twice",
		len(e.Jobs), shown)
}

// factUnexplained is set while jobs with our markers are known that no spec
// explained when the journal was recovered.
const factUnexplained = "unexplained"

// lookAround reads the account, and looks for what a lost journal forgot.
func (o *Operator) lookAround(ctx context.Context, p *Plan, st *state) error {
	me, err := o.Account(ctx)
	if err != nil {
		return err
	}
	p.Balance = &me.Balance
	lost, err := o.lost(ctx, p, st)
	if err != nil {
		return err
	}
	if lost != nil {
		p.lost = lost
		p.warn("%v", lost)
	}
	return o.checkAdopted(ctx, p)
}

// lost looks through the marketplace where the journal may have been lost:
// while it has no campaigns at all, any marker tells; while markers are known
// that nobody explained, those of the campaigns that are new do.
func (o *Operator) lost(ctx context.Context, p *Plan, st *state) (error, error) {
	if !st.empty {
		fact, err := o.Journal.Recall(ctx, factUnexplained)
		if err != nil || fact == "" {
			return nil, err
		}
	}
	found, err := o.unownedMarkers(ctx)
	if err != nil {
		return nil, err
	}
	var ids []int64
	names := newNames(p)
	for _, job := range found {
		if st.empty || names[planner.MarkerName(job.marker)] {
			ids = append(ids, job.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	slices.Sort(ids)
	return &LostError{Jobs: ids}, nil
}

// newNames are the marker names of all creates of the plan's new campaigns.
func newNames(p *Plan) map[string]bool {
	names := map[string]bool{}
	for _, d := range p.diffs {
		if d.Change != planner.ChangeNew {
			continue
		}
		for _, c := range creates(d.Spec) {
			names[c.name] = true
		}
	}
	return names
}

// marked is a job of the marketplace with its marker.
type marked struct {
	api.Job
	marker string
}

// unownedMarkers are the jobs with our markers that the journal does not know.
func (o *Operator) unownedMarkers(ctx context.Context) ([]marked, error) {
	all, err := o.markedJobs(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	owned, err := o.ownedJobs(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(m marked) bool { return owned[m.ID] != nil }), nil
}

// markedJobs are all jobs of the account that carry a marker.
func (o *Operator) markedJobs(ctx context.Context) ([]marked, error) {
	var out []marked
	for job, err := range o.Market.AllJobs(ctx, api.JobsAll) {
		if err != nil {
			return nil, err
		}
		if m := executor.MarkerOf(job); m != "" {
			out = append(out, marked{job, m})
		}
	}
	return out, nil
}

func (o *Operator) ownedJobs(ctx context.Context) (map[int64]*journal.Job, error) {
	jobs, err := o.Journal.AllJobs(ctx)
	if err != nil {
		return nil, err
	}
	owned := make(map[int64]*journal.Job, len(jobs))
	for i := range jobs {
		owned[jobs[i].ID] = &jobs[i]
	}
	return owned, nil
}
