package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/campaigns/span"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Status is how everything stands.
type Status struct {
	Campaigns []CampaignStatus `json:"campaigns"`
	Attention []Attention      `json:"attention"`
}

// CampaignStatus is how one campaign stands.
type CampaignStatus struct {
	Name  string                `json:"name"`
	State journal.CampaignState `json:"state"`
	// Reason is why a person paused it.
	Reason     string                `json:"reason"`
	Source     string                `json:"source"`
	Jobs       []Job                 `json:"jobs"`
	Operations map[planner.State]int `json:"operations"`
	// Approved is how many answers are known to be approved, and CostPerApproved
	// what each cost in USD, fees, unfilled seats and declined answers included
	// and adopted jobs left out; nil while none is approved.
	Approved        int        `json:"approved"`
	CostPerApproved *money.USD `json:"cost_per_approved"`
	// TimeToFill is that of the campaign's full jobs, on average.
	TimeToFill string `json:"time_to_fill"`
	// Budget is nil without a cap of its own.
	Budget *Budget `json:"budget"`
	// Since is when a person paused it; nil where it is not paused.
	Since *time.Time `json:"paused_at"`
	// Next is the next occurrence, and Local the same in its action's zone, as
	// RFC 3339; nil where there is none.
	Next  *time.Time `json:"next"`
	Local *string    `json:"next_local"`
	// Upcoming are the next occurrences of an active campaign's actions, few of
	// each; their items and costs are the plan's to tell.
	Upcoming []Slot `json:"upcoming"`
	// Waits are the actions that have no times of their own.
	Waits []Wait `json:"waits"`
}

// Slot is an occurrence that is still to come.
type Slot struct {
	Action string    `json:"action"`
	Slot   time.Time `json:"slot"`
	// Local is the slot in Timezone, the action's, as RFC 3339.
	Local    string `json:"local"`
	Timezone string `json:"timezone"`
	// Runs is when it is to run: the slot and its jitter.
	Runs time.Time `json:"runs"`
}

// fewSlots is how many occurrences of an action a status shows.
const fewSlots = 3

// Wait is an action that waits for an event or for another action.
type Wait struct {
	Action string         `json:"action"`
	Do     campaigns.Verb `json:"do"`
	// On is the event, or After the action as campaign/action; the other is "".
	On    campaigns.Event `json:"on"`
	After string          `json:"after"`
}

// For is what is waited for, in words.
func (w Wait) For() string {
	if w.After != "" {
		return "after " + w.After
	}
	return "on " + string(w.On)
}

func waits(c *campaigns.Campaign) []Wait {
	out := []Wait{}
	for i := range c.Actions {
		switch a := &c.Actions[i]; {
		case a.On != "":
			out = append(out, Wait{Action: a.ID, Do: a.Do, On: a.On})
		case a.After != nil:
			out = append(out, Wait{Action: a.ID, Do: a.Do, After: a.After.Campaign + "/" + a.After.Action})
		}
	}
	return out
}

// Job is one job of a campaign.
type Job struct {
	JobID   int64             `json:"job_id"`
	Item    string            `json:"item"`
	Status  journal.JobStatus `json:"status"`
	Seats   int               `json:"seats"`
	Filled  int               `json:"filled"`
	Pending int               `json:"pending"`
	// Approved is how many answers are known to be approved.
	Approved int `json:"approved"`
	// TimeToFill is from when the job was made until all of its seats were taken,
	// or it was finished, such as 1d2h; "" while it is not full.
	TimeToFill string `json:"time_to_fill"`
	// Oldest is when the oldest pending application was handed in, as last read;
	// nil where none is pending.
	Oldest *time.Time `json:"oldest_pending"`
}

// Attention is something that needs a person.
type Attention struct {
	Subject string `json:"subject"`
	Message string `json:"message"`
	// Op is the operation concerned; nil where it is none.
	Op *string `json:"op"`
}

// Status tells how one campaign stands, or all of them where name is "".
func (o *Operator) Status(ctx context.Context, name string) (*Status, error) {
	var regs []*journal.Registered
	if name != "" {
		reg, err := o.Campaign(ctx, name)
		if err != nil {
			return nil, err
		}
		regs = append(regs, reg)
	} else {
		var err error
		if regs, err = o.registered(ctx); err != nil {
			return nil, err
		}
	}
	st := &Status{Campaigns: make([]CampaignStatus, len(regs))}
	for i, reg := range regs {
		row, err := o.campaignStatus(ctx, reg)
		if err != nil {
			return nil, err
		}
		st.Campaigns[i] = *row
	}
	var err error
	st.Attention, err = o.Attention(ctx, name)
	return st, err
}

func (o *Operator) campaignStatus(ctx context.Context, reg *journal.Registered) (*CampaignStatus, error) {
	c := reg.Spec
	jobs, err := o.Journal.Jobs(ctx, c.Name)
	if err != nil {
		return nil, err
	}
	row := &CampaignStatus{Name: c.Name, State: reg.State, Reason: reg.Reason, Source: c.Source, Jobs: make([]Job, len(jobs)), Waits: waits(c)}
	for i, j := range jobs {
		row.Jobs[i] = Job{
			JobID: j.ID, Item: j.Item, Status: j.Status, Seats: j.Seats, Filled: j.Filled(), Pending: j.Pending, Approved: j.Approved,
		}
		if !j.FullAt.IsZero() {
			row.Jobs[i].TimeToFill = span.Rough(j.FullAt.Sub(j.MadeAt))
		}
		if j.Pending > 0 && !j.Oldest.IsZero() {
			row.Jobs[i].Oldest = &j.Oldest
		}
	}
	tally, err := journal.TallyOf(jobs)
	if err != nil {
		return nil, fmt.Errorf("campaign %s: %w", c.Name, err)
	}
	row.Approved, row.CostPerApproved = tally.Approved, tally.Each
	if tally.FillTime != nil {
		row.TimeToFill = span.Rough(*tally.FillTime)
	}
	if row.Operations, err = o.Journal.Counts(ctx, c.Name); err != nil {
		return nil, err
	}
	if c.Budget != nil {
		b, err := o.Journal.Budget(ctx, journal.Limits(c, o.Now())[0])
		if err != nil {
			return nil, err
		}
		budget := showBudget(b, c.Source)
		row.Budget = &budget
	}
	row.Upcoming = []Slot{}
	switch reg.State {
	case journal.Active:
		err = o.next(ctx, reg, row)
	case journal.Paused:
		row.Since = timeOrNil(reg.Steered)
	}
	return row, err
}

// next fills in the occurrences that are still to come, the earliest first.
func (o *Operator) next(ctx context.Context, reg *journal.Registered, row *CampaignStatus) error {
	c := reg.Spec
	var ids []string
	for i := range c.Actions {
		ids = append(ids, c.Actions[i].ID)
	}
	entries, err := o.Journal.Entries(ctx, c.Name, ids)
	if err != nil {
		return err
	}
	for _, e := range entries {
		a, err := action(c, e.Action)
		if err != nil || !timed(a) {
			continue
		}
		s, err := a.Schedule()
		if err != nil {
			return err
		}
		cursor := e.Watermark
		for range fewSlots {
			slot, ok := s.Next(cursor)
			if !ok {
				break
			}
			u := upcoming(c, coming(c, a, slot))
			row.Upcoming = append(row.Upcoming, Slot{a.ID, u.Slot, u.Local, u.Timezone, s.FireAt(slot, c.Name+"/"+a.ID).UTC()})
			cursor = slot
		}
	}
	slices.SortStableFunc(row.Upcoming, func(a, b Slot) int { return a.Runs.Compare(b.Runs) })
	if len(row.Upcoming) > 0 {
		next := row.Upcoming[0]
		at := local(next.Runs, next.Timezone)
		row.Next, row.Local = &next.Runs, &at
	}
	return nil
}

// longUnknown is how long an operation may be in doubt before a person is told.
const longUnknown = 15 * time.Minute

// far is later than any operation is due.
var far = time.UnixMilli(1 << 52)

// Attention lists what needs a person, of one campaign or of all.
func (o *Operator) Attention(ctx context.Context, campaign string) ([]Attention, error) {
	out := []Attention{}
	stop, err := o.Journal.Stopped(ctx)
	if err != nil {
		return nil, err
	}
	if stop != "" {
		out = append(out, Attention{Subject: "stop", Message: "everything is stopped (" + stop + "): `enqueue resume --all` goes on"})
	}
	ops, err := o.stuck(ctx, campaign)
	if err != nil {
		return nil, err
	}
	out = append(out, ops...)
	latched, err := o.closed(ctx, campaign)
	if err != nil {
		return nil, err
	}
	out = append(out, latched...)
	alerts, err := o.Journal.Alerts(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range alerts {
		out = append(out, Attention{Subject: a.Subject, Message: a.Message})
	}
	return out, nil
}

// maxStuck bounds how many operations are told of at once.
const maxStuck = 1000

// stuck are the operations that are parked, or long in doubt.
func (o *Operator) stuck(ctx context.Context, campaign string) ([]Attention, error) {
	var out []Attention
	for _, state := range []planner.State{planner.Parked, planner.Unknown} {
		ids, err := o.Journal.Open(ctx, state, far, maxStuck)
		if err != nil {
			return nil, err
		}
		ops, err := o.Journal.Load(ctx, ids)
		if err != nil {
			return nil, err
		}
		var rows []Attention
		var told []*journal.Op
		for _, op := range ops {
			if campaign != "" && op.Campaign != campaign {
				continue
			}
			if state == planner.Unknown && o.Now().Sub(doubtSince(op)) < longUnknown {
				continue
			}
			held, err := o.heldBy(ctx, op)
			if err != nil {
				return nil, err
			}
			told = append(told, op)
			rows = append(rows, Attention{
				Subject: string(state),
				Message: fmt.Sprintf("%s is %s: %s; see `enqueue op`, then `enqueue resolve`%s", op.ID, state, op.Error, held),
				Op:      &op.ID,
			})
		}
		out = append(out, gathered(rows, told)...)
	}
	return out, nil
}

// manyAlike is how many ratings that wait for the same reason are told one by one.
const manyAlike = 3

// gathered tells many ratings of a campaign that wait for the same reason as one.
func gathered(list []Attention, ops []*journal.Op) []Attention {
	type kind struct{ campaign, why string }
	alike := map[kind]int{}
	of := func(op *journal.Op) kind { return kind{op.Campaign, op.Error} }
	for _, op := range ops {
		if op.Kind == planner.Rate {
			alike[of(op)]++
		}
	}
	out := []Attention{}
	told := map[kind]bool{}
	for i, a := range list {
		k := of(ops[i])
		switch {
		case alike[k] <= manyAlike:
			out = append(out, a)
		case !told[k]:
			told[k] = true
			out = append(out, Attention{Subject: a.Subject, Message: fmt.Sprintf(
				"%d ratings of %s are %s: %s; `enqueue ops --campaign %s --state %s` lists them", alike[k], k.campaign, a.Subject, k.why, k.campaign, a.Subject)})
		}
	}
	return out
}

// heldBy tells which actions wait for an operation, in words, or "".
func (o *Operator) heldBy(ctx context.Context, op *journal.Op) (string, error) {
	if op.Kind == planner.Rate {
		return "", nil // nothing follows a rating
	}
	members, err := o.Journal.Followers(ctx, op.Campaign, op.Action)
	if err != nil || len(members) == 0 {
		return "", err
	}
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.Campaign + "/" + m.Action
	}
	return "; it holds up " + strings.Join(names, " and "), nil
}

// doubtSince is when the last attempt of an operation fell into doubt.
func doubtSince(op *journal.Op) time.Time {
	since := op.UpdatedAt
	for _, e := range slices.Backward(op.History()) {
		if e.State != planner.Unknown {
			break
		}
		since = time.UnixMilli(e.At)
	}
	return since
}

// closed are the budgets whose latch waits for a person.
func (o *Operator) closed(ctx context.Context, campaign string) ([]Attention, error) {
	scopes, err := o.Journal.ClosedScopes(ctx, journal.NewSpecs(o.Journal), o.Now())
	if err != nil {
		return nil, err
	}
	var out []Attention
	for _, scope := range scopes {
		name := strings.TrimSpace(budgetName(scope))
		if campaign != "" && scope != journal.CampaignScope(campaign) {
			continue
		}
		out = append(out, Attention{
			Subject: "budget:" + name,
			Message: fmt.Sprintf("the budget of %s reached its threshold and its jobs are paused: `enqueue resume` opens it", name),
		})
	}
	return out, nil
}
