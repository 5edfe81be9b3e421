package watcher

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/rules"
)

// Decision is what the rules say of one application.
type Decision struct {
	Application api.Application
	Item        string
	Verdict     campaigns.Verdict
	Reason      string
	// Rule is the number of the rule that fitted, from 1; 0 where none did.
	Rule int
	// Held tells that the decline waits for a person, since the run declined
	// more than the action allows.
	Held bool
}

// Review reads a campaign's applications, judges the pending ones and plans a
// rating for each decision. What was planned before is planned again under the
// same identity, which does nothing.
func (w *Watcher) Review(ctx context.Context, r journal.Review) ([]executor.Next, error) {
	if err := w.specs.Refresh(ctx, []string{r.Campaign}); err != nil {
		return nil, err
	}
	sp := w.specs.Get(r.Campaign)
	if sp == nil || sp.State != journal.Active || sp.Action(r.Action) == nil {
		return nil, w.Journal.FinishReview(ctx, r)
	}
	decisions, err := w.Decide(ctx, sp, sp.Action(r.Action))
	if err != nil {
		return nil, err
	}
	next, err := w.planRatings(ctx, r, decisions)
	if err != nil {
		return nil, err
	}
	return next, w.Journal.FinishReview(ctx, r)
}

// Decide judges all pending applications of a campaign by an action's rules,
// and changes nothing. All are read before the first is judged, since rating
// moves the pages of the list.
func (w *Watcher) Decide(ctx context.Context, sp *journal.Spec, a *campaigns.Action) ([]Decision, error) {
	jobs, err := w.Journal.Jobs(ctx, sp.Spec.Name)
	if err != nil {
		return nil, err
	}
	compiled, history, err := compile(a.Rules)
	if err != nil {
		return nil, err
	}
	seen := newCrowd()
	var pending []Decision
	for _, job := range jobs {
		if job.Status == journal.JobGone || job.Applications == 0 {
			continue
		}
		found, err := w.read(ctx, job, history, seen)
		if err != nil {
			return nil, err
		}
		pending = append(pending, found...)
	}
	now := w.Now()
	for i := range pending {
		if err := judge(&pending[i], a.Rules, compiled, seen.facts(pending[i], sp, now)); err != nil {
			return nil, err
		}
	}
	holdDeclines(pending, a.MaxDecline)
	return pending, nil
}

// read lists one job's applications and notes how many are pending. Rules that
// look at other answers need all of them, the others only those that wait.
func (w *Watcher) read(ctx context.Context, job journal.Job, history bool, seen *crowd) ([]Decision, error) {
	status := api.Pending
	if history {
		status = api.AnyStatus
	}
	var pending []Decision
	for app, err := range w.Market.AllApplications(ctx, job.ID, status) {
		if api.ReasonOf(err) == api.ReasonNotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		seen.add(job, app)
		if app.Status == api.Pending {
			pending = append(pending, Decision{Application: app, Item: job.Item})
		}
	}
	n := len(pending)
	err := w.Journal.See(ctx, w.Now(), []journal.Sighting{{
		ID: job.ID, Status: job.Status, Applications: job.Applications, Pending: &n, Title: job.Title,
	}})
	return pending, err
}

// compile compiles rules and tells whether any of them looks at other answers.
func compile(list []campaigns.Rule) ([]*rules.Rule, bool, error) {
	out := make([]*rules.Rule, len(list))
	history := false
	for i, r := range list {
		c, err := rules.Compile(r.When)
		if err != nil {
			return nil, false, fmt.Errorf("rule %d: %w", i+1, err)
		}
		for _, f := range c.Fields() {
			switch f {
			case "duplicates", "worker_approved", "worker_declined", "agreement":
				history = true
			}
		}
		out[i] = c
	}
	return out, history, nil
}

// judge lets the first rule that fits decide.
func judge(d *Decision, list []campaigns.Rule, compiled []*rules.Rule, f rules.Facts) error {
	d.Verdict = campaigns.Leave
	for i, r := range compiled {
		fits, err := r.Match(f)
		if err != nil {
			return fmt.Errorf("rule %d on application %d: %w", i+1, d.Application.ID, err)
		}
		if fits {
			d.Verdict, d.Reason, d.Rule = list[i].Verdict, list[i].Reason, i+1
			return nil
		}
	}
	return nil
}

// holdDeclines leaves the declines of a run to a person where they pass the
// given share in percent; one decline is always allowed.
func holdDeclines(all []Decision, most int) {
	if most <= 0 || most >= 100 {
		return
	}
	declines := 0
	for _, d := range all {
		if d.Verdict == campaigns.Decline {
			declines++
		}
	}
	if declines <= max(1, len(all)*most/100) {
		return
	}
	for i := range all {
		all[i].Held = all[i].Verdict == campaigns.Decline
	}
}

// planRatings writes a rating for each decision and returns the new ones.
func (w *Watcher) planRatings(ctx context.Context, r journal.Review, decisions []Decision) ([]executor.Next, error) {
	var rows []journal.New
	for _, d := range decisions {
		if d.Verdict == campaigns.Leave {
			continue
		}
		rating := planner.Rating{
			ApplicationID: d.Application.ID, Verdict: d.Verdict, Reason: d.Reason,
			Proof: executor.ProofDigest(d.Application), Rule: fmt.Sprintf("rule %d", d.Rule),
		}
		op := planner.OnApplication(r.Campaign, r.Action, d.Item, d.Application.JobID, rating, d.Application.AppliedAt)
		row := journal.New{Operation: op, State: planner.Queued}
		if d.Held {
			row.State = planner.Parked
			row.Error = "this run would decline more than max_decline allows: look at it, then `enqueue retry` or `resolve`"
		}
		rows = append(rows, row)
	}
	created, err := w.Journal.Create(ctx, w.Now(), nil, rows)
	if err != nil {
		return nil, err
	}
	fresh := make(map[string]bool, len(created))
	for _, id := range created {
		fresh[id] = true
	}
	var next []executor.Next
	for _, row := range rows {
		if fresh[row.ID] && row.State == planner.Queued {
			next = append(next, executor.Next{ID: row.ID, Queue: planner.QueueRate})
		}
	}
	return next, nil
}

// crowd is what all answers of a campaign say of each other.
type crowd struct {
	proofs   map[string]int
	inJob    map[int64]map[string]int
	answers  map[int64]int
	approved map[int64]int
	declined map[int64]int
}

func newCrowd() *crowd {
	return &crowd{
		proofs: map[string]int{}, inJob: map[int64]map[string]int{}, answers: map[int64]int{},
		approved: map[int64]int{}, declined: map[int64]int{},
	}
}

func (c *crowd) add(job journal.Job, app api.Application) {
	proof := normal(app.Proof)
	c.proofs[proof]++
	if c.inJob[job.ID] == nil {
		c.inJob[job.ID] = map[string]int{}
	}
	c.inJob[job.ID][proof]++
	c.answers[job.ID]++
	switch app.Status {
	case api.Approved:
		c.approved[app.UserID]++
	case api.Declined:
		c.declined[app.UserID]++
	}
}

// normal is a proof without what tells equal answers apart by accident.
func normal(proof string) string { return strings.ToLower(strings.Join(strings.Fields(proof), " ")) }

func (c *crowd) facts(d Decision, sp *journal.Spec, now time.Time) rules.Facts {
	app := d.Application
	proof := normal(app.Proof)
	f := rules.Facts{
		Proof: app.Proof, Screenshots: max(len(app.Screenshots), len(app.ScreenshotURLs)), Age: now.Sub(app.AppliedAt),
		Worker: int(app.UserID), Duplicates: c.proofs[proof],
		WorkerApproved: c.approved[app.UserID], WorkerDeclined: c.declined[app.UserID],
		Item: sp.Items[d.Item].Fields,
	}
	if n := c.answers[app.JobID]; n > 0 {
		f.Agreement = float64(c.inJob[app.JobID][proof]) / float64(n)
	}
	return f
}
