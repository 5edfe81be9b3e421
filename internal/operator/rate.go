package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

// Decision is what is to be said of one application.
type Decision struct {
	ApplicationID int64             `json:"application_id"`
	JobID         int64             `json:"job_id"`
	Item          string            `json:"item"`
	Verdict       campaigns.Verdict `json:"verdict"`
	Reason        string            `json:"reason"`
	// Rule tells what decided.
	Rule string `json:"rule"`

	proof    string
	handedIn time.Time
	// line is where it stands in its file; 0 elsewhere.
	line int
}

// CheckDecisions looks at every application that a file decides on. All that
// does not fit is told at once: unknown ones, those of other campaigns, and
// those that have another verdict. Those that have the wanted one already are
// left out. Each application is read once: by the lists of what waits, or by
// itself where that takes fewer requests.
func (o *Operator) CheckDecisions(ctx context.Context, campaign string, list []Decision) ([]Decision, error) {
	if _, err := o.Campaign(ctx, campaign); err != nil {
		return nil, err
	}
	jobs, err := o.Journal.Jobs(ctx, campaign)
	if err != nil {
		return nil, err
	}
	waiting := map[int64]watcher.Decision{}
	if len(list) > pagesOf(jobs) {
		if waiting, err = o.waiting(ctx, campaign); err != nil {
			return nil, err
		}
	}
	items := make(map[int64]string, len(jobs))
	for _, job := range jobs {
		items[job.ID] = job.Item
	}
	out := make([]Decision, 0, len(list))
	var errs []error
	for _, d := range list {
		app, found := waiting[d.ApplicationID]
		if !found {
			app.Application, err = o.Market.Application(ctx, d.ApplicationID)
			if err != nil && api.ReasonOf(err) != api.ReasonNotFound {
				return nil, err
			}
		}
		item, own := items[app.Application.JobID]
		done, err := d.check(campaign, app.Application, own)
		if err != nil {
			errs = append(errs, d.at(err))
			continue
		}
		if done {
			continue
		}
		d.JobID, d.Item, d.proof, d.handedIn = app.Application.JobID, item, executor.ProofDigest(app.Application), app.Application.AppliedAt
		out = append(out, d)
	}
	return out, errors.Join(errs...)
}

// waiting are a campaign's pending applications by their ids.
func (o *Operator) waiting(ctx context.Context, campaign string) (map[int64]watcher.Decision, error) {
	list, err := o.Judge.Pending(ctx, campaign)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]watcher.Decision, len(list))
	for _, d := range list {
		out[d.Application.ID] = d
	}
	return out, nil
}

// smallPage is the fewest applications that a page of a list is taken to have.
const smallPage = 20

// pagesOf is about how many pages the pending applications of some jobs have.
func pagesOf(jobs []journal.Job) int {
	n := 0
	for _, job := range jobs {
		waiting := job.Pending
		if job.Listed.IsZero() {
			waiting = job.Applications
		}
		if waiting > 0 {
			n += waiting/smallPage + 1
		}
	}
	return n
}

// check tells whether an application has the wanted verdict already, and
// refuses one that cannot get it any more.
func (d *Decision) check(campaign string, app api.Application, own bool) (done bool, err error) {
	switch {
	case app.ID == 0:
		return false, fmt.Errorf("application %d does not exist", d.ApplicationID)
	case !own:
		return false, fmt.Errorf("application %d is of job %d, which is not of campaign %s", app.ID, app.JobID, campaign)
	case app.Status == api.Pending:
		return false, nil
	case verdictStatus[d.Verdict] == app.Status || d.Verdict == campaigns.Leave:
		return true, nil
	}
	return false, fmt.Errorf("application %d is %s, and waits for no verdict", app.ID, app.Status)
}

var verdictStatus = map[campaigns.Verdict]api.ApplicationStatus{
	campaigns.Approve: api.Approved, campaigns.Decline: api.Declined, campaigns.Redo: api.NotCompleted,
}

// at is an error with the decision's line.
func (d *Decision) at(err error) error {
	if d.line == 0 {
		return err
	}
	return fmt.Errorf("line %d: %w", d.line, err)
}

// Rate writes a rating for each decision that CheckDecisions let pass. It takes
// the place of what the rules decided and was not sent: a person overrules them.
func (o *Operator) Rate(ctx context.Context, campaign string, list []Decision) (*Started, error) {
	if _, err := o.running(ctx, campaign); err != nil {
		return nil, err
	}
	var ops []planner.Operation
	for _, d := range list {
		if d.Verdict == campaigns.Leave {
			continue
		}
		r := planner.Rating{ApplicationID: d.ApplicationID, Verdict: d.Verdict, Reason: d.Reason, Proof: d.proof, Rule: d.Rule}
		ops = append(ops, planner.OnApplication(campaign, planner.ActionDecision, d.Item, d.JobID, r, d.handedIn))
	}
	if len(ops) == 0 {
		return nil, fmt.Errorf("every application is left as it is: %w", ErrNothing)
	}
	fresh, again, err := o.overrule(ctx, ops)
	if err != nil {
		return nil, err
	}
	next, err := o.queue(ctx, fresh)
	if err != nil {
		return nil, err
	}
	if err := o.enqueueIDs(ctx, again); err != nil {
		return nil, err
	}
	return o.begun(ctx, o.Now().UTC().Truncate(time.Second), append(ids(next), again...))
}

// overrule puts decisions in the place of older ones and returns those that
// have none, and the ids of the others. What is on its way cannot be overruled.
func (o *Operator) overrule(ctx context.Context, ops []planner.Operation) (fresh []planner.Operation, again []string, err error) {
	words, err := o.Journal.Decide(ctx, o.Now().UTC(), ops)
	if err != nil {
		return nil, nil, err
	}
	for i, word := range words {
		switch word {
		case "new":
			fresh = append(fresh, ops[i])
		case "ok", string(planner.Applied):
			again = append(again, ops[i].ID)
		default:
			o.Log.WarnContext(ctx, "a rating is on its way and is not overruled", "op", ops[i].ID, "state", word)
			again = append(again, ops[i].ID)
		}
	}
	return fresh, again, nil
}

// Review asks for a rating run of each of a campaign's rate actions.
func (o *Operator) Review(ctx context.Context, campaign string) (*Started, error) {
	reg, err := o.running(ctx, campaign)
	if err != nil {
		return nil, err
	}
	actions := rateActions(reg.Spec)
	if len(actions) == 0 {
		return nil, fmt.Errorf("campaign %q has no rate action: give --decisions FILE.csv", campaign)
	}
	slot := o.Now().UTC().Truncate(time.Second)
	var done *Started
	for _, a := range actions {
		if done, err = o.review(ctx, reg, a, slot); err != nil {
			return nil, err
		}
	}
	return done, nil
}

func rateActions(c *campaigns.Campaign) []*campaigns.Action {
	var out []*campaigns.Action
	for i := range c.Actions {
		if c.Actions[i].Do == campaigns.DoRate {
			out = append(out, &c.Actions[i])
		}
	}
	return out
}

// Judged tells what the campaign's rules say of its pending applications, and
// changes nothing.
func (o *Operator) Judged(ctx context.Context, campaign string) ([]Decision, error) {
	reg, err := o.Campaign(ctx, campaign)
	if err != nil {
		return nil, err
	}
	specs := journal.NewSpecs(o.Journal)
	if err := specs.Refresh(ctx, []string{campaign}); err != nil {
		return nil, err
	}
	out := []Decision{}
	for _, a := range rateActions(reg.Spec) {
		found, err := o.Judge.Decide(ctx, specs.Get(campaign), a, o.Now())
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			out = append(out, Decision{
				ApplicationID: d.Application.ID, JobID: d.Application.JobID, Item: d.Item,
				Verdict: d.Verdict, Reason: d.Reason, Rule: whatDecided(a, d),
			})
		}
	}
	return out, nil
}

// whatDecided tells which rule fitted, and what comes of it.
func whatDecided(a *campaigns.Action, d watcher.Decision) string {
	switch {
	case d.Fault != "":
		return fmt.Sprintf("%s: left for a person: %s", a.ID, d.Fault)
	case d.Rule == 0:
		return fmt.Sprintf("%s: no rule fits", a.ID)
	}
	text := fmt.Sprintf("%s: rule %d", a.ID, d.Rule)
	switch {
	case d.Planned:
		text += ", decided before"
	case d.Held:
		text += ", held for a person by max_decline"
	case d.Sampled:
		text += ", left to a person by audit_sample"
	case d.Verdict == campaigns.Decline && a.Hold > 0:
		text += ", held for " + a.Hold.String()
	}
	return text
}
