package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// call is an operation made ready to be sent.
type call struct {
	// amount is reserved; 0 where nothing is bought.
	amount money.USD
	quote  *money.USD
	// evidence is what was read beforehand.
	evidence *evidence
	// shape is the quote's, where it prices seats; a cost that differs from the
	// quote is kept under it.
	shape string
	// quiet asks that nothing else that moves money is in flight.
	quiet bool
	// before reads what must be read in that quiet and adds it to the evidence;
	// nil reads nothing.
	before func(ctx context.Context) error
	// accident is a quote that made a job, and job what it asked the price of; nil
	// as a rule.
	accident *quoted
	job      api.NewJob
	// pass is the witness's leave, and passage what the journal wrote.
	pass    sendlog.Pass
	passage journal.Passage
	// send makes the one request that changes something.
	send func(ctx context.Context) (effect, error)
}

// question is the token of the question that made the call's job, or "".
func (c *call) question() string {
	if c.accident == nil {
		return ""
	}
	return c.accident.question
}

// effect is what a call did.
type effect struct {
	// cost was charged, refund came back, in USD; nil books nothing.
	cost, refund *money.USD
	// most bounds what may have come back where the refund is an estimate; nil
	// where it is exact.
	most  *money.USD
	jobID int64
	made  *journal.Made
	seats int
	note  string
}

// halt ends an operation before anything is sent.
type halt struct {
	to     planner.State
	reason string
}

func (h *halt) Error() string { return h.reason }

func skip(format string, args ...any) error {
	return &halt{to: planner.Skipped, reason: fmt.Sprintf(format, args...)}
}

func reject(format string, args ...any) error {
	return &halt{to: planner.Rejected, reason: fmt.Sprintf(format, args...)}
}

// later puts an operation off: nothing was sent, and no attempt is used up.
type later struct {
	after  time.Duration
	reason string
}

func (l *later) Error() string { return l.reason }

// attempt carries a queued operation through one call.
func (e *Executor) attempt(ctx context.Context, op *journal.Op) ([]Next, error) {
	c, next, err := e.ready(ctx, op)
	if c == nil {
		return next, err
	}
	before := e.Now()
	if err := e.Wait(ctx); err != nil {
		return nil, err
	}
	e.paced.Store(e.Now().Sub(before) > pacedWait)
	// Where requests take long, an operation that is begun must not wait in line.
	first := e.slow.Load()
	if first {
		defer e.slot(op)()
	}
	leave, wait := e.changes.enter()
	if wait > 0 {
		return e.postpone(ctx, op, &later{after: wait, reason: e.changes.reason()})
	}
	defer leave()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	nonce := e.Draw()
	// A shutdown must not cut off the answer: what was let through would be left
	// as being sent.
	passage, err := e.begin(context.WithoutCancel(ctx), op, c, nonce)
	if err != nil {
		return nil, err
	}
	if c.accident != nil {
		e.quotes.forget(op.Marker())
	}
	if passage.Gate != journal.Through {
		e.takeBack(ctx, op, c, passage.Gate)
		return e.refused(ctx, op, c, passage)
	}
	op.Attempts, op.Nonce = passage.Attempt, nonce
	c.passage = passage
	return e.send(ctx, op, c, !first)
}

// ready prepares an operation's call. Without one it returns what comes next.
func (e *Executor) ready(ctx context.Context, op *journal.Op) (*call, []Next, error) {
	pass, err := e.Witness.Enter()
	if err != nil {
		next, err := e.postpone(ctx, op, held(err))
		return nil, next, err
	}
	leave, wait := e.reads.enter()
	if wait > 0 {
		next, err := e.postpone(ctx, op, &later{after: wait, reason: e.reads.reason()})
		return nil, next, err
	}
	defer leave()
	c, err := e.prepare(ctx, op)
	if err != nil {
		next, err := e.unprepared(ctx, op, err)
		return nil, next, err
	}
	if c.evidence != nil && c.evidence.Job != nil {
		e.recovered(ctx, e.reads)
	}
	c.pass = pass
	return c, nil, nil
}

// slowRequest is a request that takes longer than writing to the journal does.
const slowRequest = 100 * time.Millisecond

// slot waits for one of the places of requests in flight and returns what gives
// it back. Pauses have places of their own.
func (e *Executor) slot(op *journal.Op) func() {
	if op.Kind == planner.Pause {
		return func() {}
	}
	e.slots <- struct{}{}
	return func() { <-e.slots }
}

// prepare reads what the kind of operation needs and makes the call ready.
func (e *Executor) prepare(ctx context.Context, op *journal.Op) (*call, error) {
	sp := e.specs.Get(op.Campaign)
	if sp == nil && op.Campaign != planner.ManualCampaign && op.Kind != planner.TeamSync {
		return nil, &halt{to: planner.Canceled, reason: "the campaign is not registered any more"}
	}
	if sp != nil && gone(sp, op) {
		return nil, &halt{to: planner.Canceled, reason: "the spec has no action " + op.Action + " any more"}
	}
	k, ok := kinds[op.Kind]
	if !ok {
		return nil, reject("this version does not know operations of kind %q", op.Kind)
	}
	return k.prepare(ctx, e, op, sp)
}

// gone tells whether an edit took away the action that asked for an operation:
// nothing is bought that the spec does not ask for any more. A rating stays, for
// its identity is the application's and no other action would take it up.
func gone(sp *journal.Spec, op *journal.Op) bool {
	return op.Kind != planner.Rate && planner.OfSpec(op.Action) && sp.Action(op.Action) == nil
}

// unprepared settles or puts off an operation for which nothing was sent.
func (e *Executor) unprepared(ctx context.Context, op *journal.Op, err error) ([]Next, error) {
	var h *halt
	var l *later
	var refused *api.Error
	switch {
	case errors.As(err, &h):
		return nil, e.end(ctx, op, h.to, h.reason)
	case errors.As(err, &l):
		return e.postpone(ctx, op, l)
	case errors.As(err, &refused):
		return e.unread(ctx, op, refused)
	}
	return nil, err
}

// unread deals with a read beforehand that failed: the job is gone, or it is
// tried again later.
func (e *Executor) unread(ctx context.Context, op *journal.Op, err *api.Error) ([]Next, error) {
	e.notice(ctx, e.reads, err)
	young := err.Reason == api.ReasonNotFound && op.JobID != 0 && e.young(ctx, op)
	if err.Reason == api.ReasonNotFound && op.JobID != 0 && !young {
		e.gone(ctx, op)
		return nil, e.end(ctx, op, planner.Rejected, fmt.Sprintf("job %d does not exist any more: %v", op.JobID, err))
	}
	if err.Effect == api.EffectRejected && err.Reason != api.ReasonUnauthorized && !young {
		return nil, e.end(ctx, op, planner.Rejected, err.Error())
	}
	if young { // or its create was told of a wrong one, and an audit finds the right one
		e.Suspect()
	}
	return e.postpone(ctx, op, &later{after: e.backoff(op, err.RetryAfter), reason: err.Error()})
}

// young tells that the marketplace may not show the job of an operation yet.
func (e *Executor) young(ctx context.Context, op *journal.Op) bool {
	own, err := e.Journal.Job(ctx, op.JobID)
	return err == nil && own.Young(e.Now())
}

// gone notes that the marketplace does not know a job any more. One that is not in
// the books was never there: its create was told of a wrong one, and has the right
// one by now.
func (e *Executor) gone(ctx context.Context, op *journal.Op) {
	now := e.Now()
	_, err := e.Journal.Job(ctx, op.JobID)
	if errors.Is(err, journal.ErrNotFound) {
		return
	}
	err = e.Journal.See(ctx, now, []journal.Sighting{{ID: op.JobID, Status: journal.JobGone}})
	if err == nil {
		err = e.Journal.Alert(ctx, now, fmt.Sprintf("job:%d", op.JobID), fmt.Sprintf(
			"job %d of campaign %s was deleted on the marketplace: nothing more is done to it", op.JobID, op.Campaign))
	}
	if err != nil {
		e.Log.WarnContext(ctx, "a deleted job could not be noted", "job", op.JobID, "err", err)
	}
}

// end settles an operation for which nothing was sent.
func (e *Executor) end(ctx context.Context, op *journal.Op, to planner.State, reason string) error {
	s := journal.Settlement{
		Op: op, From: planner.Queued, Stamp: e.Draw(), To: to, Now: e.Now(), Error: reason, JobID: op.JobID,
	}
	if to == planner.Applied {
		s.Error, s.Note = "", reason
	}
	_, err := e.Journal.Settle(ctx, s)
	return forgiveConflict(err)
}

// forgiveConflict takes a settlement that came second for done: whoever came
// first has settled it.
func forgiveConflict(err error) error {
	var conflict *journal.ErrConflict
	if errors.As(err, &conflict) {
		return nil
	}
	return err
}

func (e *Executor) postpone(ctx context.Context, op *journal.Op, l *later) ([]Next, error) {
	now := e.Now()
	due := now.Add(l.after)
	if err := e.Journal.Defer(ctx, op, now, due, l.reason); err != nil {
		return nil, err
	}
	return []Next{{ID: op.ID, Queue: op.Queue(), Due: due}}, nil
}

func (e *Executor) begin(ctx context.Context, op *journal.Op, c *call, nonce string) (journal.Passage, error) {
	now := e.Now()
	start := journal.Start{
		Op: op, Nonce: nonce, Now: now, Deadline: now.Add(e.Abandon),
		Amount: c.amount, Quote: c.quote, Question: c.question(),
	}
	if c.evidence != nil {
		start.Evidence = c.evidence
	}
	if op.Kind.Paying() {
		start.Limits = []journal.Limit{{Scope: journal.CampaignScope(op.Campaign), Window: "total", Cap: -1}}
		if sp := e.specs.Get(op.Campaign); sp != nil {
			start.Limits, start.Spec = journal.Limits(sp.Spec, now), sp.Digest
			if sp.Spec.MinBalance > 0 {
				start.MinBalance = &sp.Spec.MinBalance
			}
		}
	}
	if c.quiet {
		start.QuietUntil = now.Add(e.QuietFor)
	}
	return e.Journal.Begin(ctx, start)
}

// send makes the request and settles what became of it. From here on the
// outcome is recorded even where the caller is being shut down.
func (e *Executor) send(ctx context.Context, op *journal.Op, c *call, wait bool) ([]Next, error) {
	steady := context.WithoutCancel(ctx)
	if c.before != nil {
		if err := c.before(steady); err != nil {
			return e.turnBack(steady, op, err)
		}
		// Should this process die within the call, the read-back knows it all the same.
		if err := e.Journal.Attest(steady, op, e.Now(), c.evidence); err != nil {
			return e.turnBack(steady, op, err)
		}
		if err := e.Wait(steady); err != nil {
			return e.turnBack(steady, op, err)
		}
	}
	if err := e.record(steady, op, c); err != nil {
		return e.turnBack(steady, op, err)
	}
	out := api.SendBefore(api.WithPermit(steady), e.Now().Add(e.SendWithin))
	eff, err := e.request(out, op, c, wait)
	var unsent *unsentError
	if errors.As(err, &unsent) {
		return e.turnBack(steady, op, unsent.cause)
	}
	if err == nil {
		e.recovered(steady, e.changes)
		e.learnCost(steady, c, eff)
		return e.applied(steady, op, planner.Sending, c.amount, eff)
	}
	return e.failed(steady, op, c, err)
}

// request makes the call in one of the places of requests in flight.
func (e *Executor) request(ctx context.Context, op *journal.Op, c *call, wait bool) (effect, error) {
	if wait {
		defer e.slot(op)()
	}
	if err := e.Witness.Check(c.pass); err != nil && c.accident == nil {
		return effect{}, &unsentError{err}
	}
	began := e.Now()
	eff, err := c.send(ctx)
	e.slow.Store(e.Now().Sub(began) > slowRequest)
	return eff, err
}

// turnBack puts an operation back in line that was let through and did not send.
func (e *Executor) turnBack(ctx context.Context, op *journal.Op, cause error) ([]Next, error) {
	now := e.Now()
	s := journal.Settlement{
		Op: op, From: planner.Sending, Nonce: op.Nonce, To: planner.Queued, Now: now,
		Due: now.Add(e.backoff(op, 0)), JobID: op.JobID, Error: "nothing was sent: " + cause.Error(),
	}
	if _, err := e.settle(ctx, s); err != nil {
		return nil, err
	}
	return follow(op, s), nil
}

// learnCost keeps what seats did cost where the quote said something else.
func (e *Executor) learnCost(ctx context.Context, c *call, eff effect) {
	if c.shape == "" || eff.cost == nil || *eff.cost == c.amount {
		return
	}
	if err := e.Journal.KeepQuote(ctx, c.shape, *eff.cost); err != nil {
		e.Log.WarnContext(ctx, "a price could not be kept", "err", err)
	}
}
