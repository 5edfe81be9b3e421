package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Limit is one budget that a reservation is checked against.
type Limit struct {
	// Scope is "c:" and a campaign or "f:" and a file.
	Scope string
	// Window is the budget's window at the time of the call.
	Window string
	// Cap is in USD; negative means none.
	Cap     money.USD
	PauseAt money.USD
	Measure campaigns.Measure
	Resume  campaigns.ResumePolicy
}

// Unlimited is the budget of a campaign without a cap.
func Unlimited(campaign string) []Limit {
	return []Limit{{Scope: CampaignScope(campaign), Window: "total", Cap: -1}}
}

// Limits are the budgets that an operation of a campaign counts against at now.
func Limits(c *campaigns.Campaign, now time.Time) []Limit {
	own := Limit{Scope: CampaignScope(c.Name), Window: string(campaigns.PerTotal), Cap: -1}
	if c.Budget != nil {
		own = limit(own.Scope, c.Budget, now)
	}
	limits := []Limit{own}
	if c.FileBudget != nil {
		limits = append(limits, limit(FileScope(c.Source), c.FileBudget, now))
	}
	return limits
}

func limit(scope string, b *campaigns.Budget, now time.Time) Limit {
	return Limit{
		Scope: scope, Window: b.WindowAt(now), Cap: b.Cap,
		PauseAt: b.PauseAt, Measure: b.Measure, Resume: b.Resume,
	}
}

// CampaignScope names a campaign's own budget.
func CampaignScope(campaign string) string { return "c:" + campaign }

// FileScope names the budget over all campaigns of a file.
func FileScope(source string) string { return "f:" + url.PathEscape(source) }

// Start asks to be let through to the marketplace.
type Start struct {
	Op *Op
	// Nonce is drawn by the caller, new for each Start.
	Nonce string
	Now   time.Time
	// Deadline is when a sending operation counts as abandoned.
	Deadline time.Time
	// Amount is reserved from every budget, in USD; 0 where nothing is bought.
	Amount money.USD
	Limits []Limit
	// Spec is the digest of the spec that the limits are from; "" where none is.
	Spec string
	// MinBalance must remain in the account; nil means it is not looked at.
	MinBalance *money.USD
	// Quote is what the marketplace said it costs; nil where it was not asked.
	Quote *money.USD
	// Question is the token by which the price was asked, where the question has
	// made the job; "" elsewhere.
	Question string
	// Evidence is what was read beforehand, to decide a doubtful outcome by.
	Evidence any
	// QuietUntil, where not zero, asks that nothing else that moves money is in
	// flight, and holds off what would be until then: a refund can be measured.
	QuietUntil time.Time
}

// Gate is the answer to a Start.
type Gate string

// The answers of Begin.
const (
	// Through lets the caller send, once.
	Through Gate = "ok"
	// NotQueued: the operation is in another state; nothing is to be done.
	NotQueued Gate = "state"
	// Missing: the journal does not hold the operation.
	Missing Gate = "gone"
	// Held: the campaign, or everything, is paused. It will be released.
	Held Gate = "paused"
	// Dropped: the campaign was removed.
	Dropped Gate = "removed"
	// Busy: another operation holds the job, or a refund is being measured.
	Busy Gate = "busy"
	// Stale: the evidence is older than the last operation on the job.
	Stale Gate = "stale"
	// Asked: somebody asks its price, or lost the answer; that may have made it.
	Asked Gate = "asked"
	// Edited: the campaign's spec, and so perhaps its caps, is another one by now.
	Edited Gate = "edited"
	// Latched: a budget reached its threshold and is closed.
	Latched Gate = "latched"
	// OverCap: it does not fit into a budget.
	OverCap Gate = "over"
	// LowBalance: the account would fall below its minimum.
	LowBalance Gate = "low"
	// Lost: the journal has forgotten what it acknowledged, or is another one.
	Lost Gate = "lost"
	// Frozen: a runner found that the journal lost writes; a person must act.
	Frozen Gate = "frozen"
)

// Passage is what Begin answered.
type Passage struct {
	Gate Gate
	// Attempt is the number of this call, from 1, where Gate is Through.
	Attempt int
	// Seq numbers the sends of all runners, from 1; 0 without a send log.
	Seq int64
	// Budgets are what the call is reserved in, a line "scope window" for each.
	Budgets string
	// Class is "pay" for what buys seats, "refund" for a pause, else "".
	Class string
	// Lane is the job that the call holds; "" for none.
	Lane string
	// Detail holds what the gate tells: a state, a holder, a reason, a scope.
	Detail []string
}

// Begin is the one door to the marketplace. It checks that the operation is
// queued, that its campaign runs, its job is free and every budget has room,
// and then writes `sending` with the reservation and the evidence; all of it or
// nothing, for one caller an attempt.
func (j *Journal) Begin(ctx context.Context, s Start) (Passage, error) {
	var evidence json.RawMessage
	if s.Evidence != nil {
		b, err := json.Marshal(s.Evidence)
		if err != nil {
			return Passage{}, fmt.Errorf("journal: evidence: %w", err)
		}
		evidence = b
	}
	least := ""
	if s.MinBalance != nil {
		least = micros(*s.MinBalance)
	}
	event := Event{
		At: s.Now.UnixMilli(), State: planner.Sending, Attempt: s.Op.Attempts + 1,
		Amount: s.Quote, Evidence: evidence,
	}
	lane, gen := "", ""
	if s.Op.Kind.MovesMoney() && s.Op.JobID != 0 {
		lane, gen = jobText(s.Op.JobID), s.Op.Generation
	}
	args := []any{
		s.Op.ID, s.Nonce, millis(s.Now), lane, gen, micros(s.Amount), class(s.Op.Kind),
		microsOrNone(s.Quote), string(evidence), least, event.text(), millis(s.QuietUntil), millis(s.Deadline), "", "", "", s.Question, len(s.Limits),
	}
	for _, l := range s.Limits {
		args = append(args, l.Scope, l.Window, micros(l.Cap), micros(l.PauseAt), string(l.Measure), string(l.Resume))
	}
	args = append(args, s.Spec)
	out, err := j.run(ctx, "begin", args...)
	if err != nil {
		return Passage{}, err
	}
	p := Passage{Gate: Gate(out[0]), Detail: out[1:], Class: class(s.Op.Kind)}
	if p.Gate == Through {
		if p.Attempt, err = strconv.Atoi(out[1]); err != nil {
			return Passage{}, fmt.Errorf("journal: attempt: %w", err)
		}
		if p.Seq, err = strconv.ParseInt(out[2], 10, 64); err != nil {
			return Passage{}, fmt.Errorf("journal: sequence number: %w", err)
		}
		p.Budgets, p.Lane = out[3], out[4]
	}
	return p, nil
}

// Attest adds what was read after Begin to the evidence of an operation that is
// being sent, so that it outlives its sender. It is refused with ErrConflict
// where the operation is not that sender's any more.
func (j *Journal) Attest(ctx context.Context, op *Op, now time.Time, evidence any) error {
	b, err := json.Marshal(evidence)
	if err != nil {
		return fmt.Errorf("journal: evidence: %w", err)
	}
	event := Event{At: now.UnixMilli(), State: planner.Sending, Attempt: op.Attempts, Evidence: b}
	out, err := j.run(ctx, "attest", op.ID, op.Nonce, string(b), event.text())
	if err != nil {
		return err
	}
	if out[0] != "ok" {
		return &ErrConflict{ID: op.ID, State: planner.State(out[1])}
	}
	return nil
}

// Places in the arguments of begin that are filled in as it leaves: numbers
// that the answers before it brought must be asked for.
const (
	beginID     = 13
	beginHolder = 14
	beginKnown  = 15
)

func class(k planner.Kind) string {
	switch {
	case k.Paying():
		return "pay"
	case k == planner.Pause:
		return "refund"
	}
	return ""
}
