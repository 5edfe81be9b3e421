package operator

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
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
}

// ReadDecisions reads a file of application_id,verdict,reason with a head. All
// that is wrong with it is told at once, by line.
func ReadDecisions(r io.Reader) ([]Decision, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	head, err := rows.Read()
	if err != nil {
		return nil, errors.New("the file of decisions is empty: it begins with application_id,verdict,reason")
	}
	at, err := decisionColumns(head)
	if err != nil {
		return nil, err
	}
	var out []Decision
	var errs []error
	seen := map[int64]int{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(append(errs, err)...)
		}
		line, _ := rows.FieldPos(0)
		d, err := decision(row, at)
		if err == nil && seen[d.ApplicationID] > 0 {
			err = fmt.Errorf("application %d was decided on line %d already", d.ApplicationID, seen[d.ApplicationID])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		seen[d.ApplicationID] = line
		out = append(out, d)
	}
	if len(errs) == 0 && len(out) == 0 {
		return nil, errors.New("the file of decisions holds none")
	}
	return out, errors.Join(errs...)
}

// decisionColumns finds the columns by their heads, in any order.
func decisionColumns(head []string) (map[string]int, error) {
	at := map[string]int{}
	for i, name := range head {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))
		switch name {
		case "application_id", "verdict", "reason":
			at[name] = i
		default:
			return nil, fmt.Errorf("line 1: column %q is none of application_id, verdict and reason", name)
		}
	}
	for _, name := range []string{"application_id", "verdict"} {
		if _, found := at[name]; !found {
			return nil, fmt.Errorf("line 1: the column %s is missing", name)
		}
	}
	return at, nil
}

func decision(row []string, at map[string]int) (Decision, error) {
	field := func(name string) string {
		if i, found := at[name]; found && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	d := Decision{Verdict: campaigns.Verdict(field("verdict")), Reason: field("reason"), Rule: "decision"}
	id, err := strconv.ParseInt(field("application_id"), 10, 64)
	if err != nil || id < 1 {
		return d, fmt.Errorf("%q is not the id of an application", field("application_id"))
	}
	d.ApplicationID = id
	return d, CheckVerdict(d.Verdict, d.Reason)
}

// CheckVerdict refuses words that are no verdict, and those that need a reason.
func CheckVerdict(v campaigns.Verdict, reason string) error {
	switch v {
	case campaigns.Approve, campaigns.Leave:
		return nil
	case campaigns.Decline, campaigns.Redo:
		if reason == "" {
			return fmt.Errorf("a verdict of %s needs a reason", v)
		}
		return nil
	}
	return fmt.Errorf("%q is none of approve, decline, redo and leave", v)
}

// CheckDecisions reads every application that a file decides on. All that does
// not fit is told at once: unknown ones, those of other campaigns, and those
// that do not wait for a verdict.
func (o *Operator) CheckDecisions(ctx context.Context, campaign string, list []Decision) ([]Decision, error) {
	if _, err := o.Campaign(ctx, campaign); err != nil {
		return nil, err
	}
	out := make([]Decision, 0, len(list))
	var errs []error
	for _, d := range list {
		app, err := o.Market.Application(ctx, d.ApplicationID)
		if api.ReasonOf(err) == api.ReasonNotFound {
			errs = append(errs, fmt.Errorf("application %d does not exist", d.ApplicationID))
			continue
		}
		if err != nil {
			return nil, err
		}
		job, err := o.Journal.Job(ctx, app.JobID)
		switch {
		case err != nil && !errors.Is(err, journal.ErrNotFound):
			return nil, err
		case err != nil || job.Campaign != campaign:
			errs = append(errs, fmt.Errorf("application %d is of job %d, which is not of campaign %s", app.ID, app.JobID, campaign))
			continue
		case app.Status != api.Pending:
			errs = append(errs, fmt.Errorf("application %d is %s, and waits for no verdict", app.ID, app.Status))
			continue
		}
		d.JobID, d.Item, d.proof, d.handedIn = app.JobID, job.Item, executor.ProofDigest(app), app.AppliedAt
		out = append(out, d)
	}
	return out, errors.Join(errs...)
}

// Rate writes a rating for each decision that CheckDecisions let pass.
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
	return o.start(ctx, o.Now().UTC().Truncate(time.Second), ops)
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
		found, err := o.Judge.Decide(ctx, specs.Get(campaign), a)
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			row := Decision{ApplicationID: d.Application.ID, JobID: d.Application.JobID, Item: d.Item, Verdict: d.Verdict, Reason: d.Reason}
			switch {
			case d.Held:
				row.Rule = fmt.Sprintf("%s: rule %d, held for a person by max_decline", a.ID, d.Rule)
			case d.Rule > 0:
				row.Rule = fmt.Sprintf("%s: rule %d", a.ID, d.Rule)
			}
			out = append(out, row)
		}
	}
	return out, nil
}
