package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// SendRecovery is what became of one send that the journal had lost, or whose
// outcome it had lost.
type SendRecovery struct {
	Op      string       `json:"op"`
	Kind    planner.Kind `json:"kind"`
	Attempt int          `json:"attempt"`
	SentAt  time.Time    `json:"sent_at"`
	// Outcome is a state: unknown where it is to be read back; or twice, where the
	// operation was sent again without knowing of this send.
	Outcome string `json:"outcome"`
	// Amount was reserved or charged, in USD.
	Amount string `json:"amount"`
}

// outcomeTwice is a send that was made a second time.
const outcomeTwice = "twice"

// Sends is what a recovery has of send logs.
type Sends struct {
	// Logs are of the journal's own folder, and Given are those that a person
	// brings from other runners.
	Logs, Given []sendlog.Contents
	// Journal is the id of the journal that was last seen at this Redis; "" where
	// none was.
	Journal string
	// Without are holders whose logs are not to be had.
	Without []string
}

// RecoverSends writes into the journal what send logs know and it does not: as
// it ended where a log tells, else as unknown, to be read back. It sends nothing,
// and repeated it finds everything known. It does not let sends go on.
func (o *Operator) RecoverSends(ctx context.Context, in Sends) ([]SendRecovery, error) {
	id, err := o.journalOf(ctx, in)
	if err != nil || id == "" {
		return nil, err
	}
	logs := slices.DeleteFunc(slices.Concat(in.Logs, in.Given), func(c sendlog.Contents) bool { return c.Journal != id })
	// An empty journal takes its name back before anything is written into it.
	for _, c := range logs {
		if err := o.Journal.Raise(ctx, id, c.Holder, 0); err != nil {
			return nil, err
		}
	}
	server, err := o.Journal.Incarnation(ctx)
	if err != nil {
		return nil, err
	}
	sends, outcomes := merge(logs)
	var rows []SendRecovery
	for _, s := range sends {
		row, err := o.recoverSend(ctx, s, outcomes)
		if err != nil {
			return rows, fmt.Errorf("operation %s: %w", s.Op.ID, err)
		}
		if row != nil {
			rows = append(rows, *row)
		}
	}
	// What says that the logs were compared must not outlive what was written.
	if err := o.still(ctx, server); err != nil {
		return rows, err
	}
	for _, c := range logs {
		if err := o.Journal.Raise(ctx, id, c.Holder, c.High); err != nil {
			return rows, err
		}
	}
	return rows, o.still(ctx, server)
}

// journalOf finds the journal whose logs are to be compared: the one that this
// Redis holds, if it has sends; else the one that it held last.
func (o *Operator) journalOf(ctx context.Context, in Sends) (string, error) {
	st, err := o.Journal.Stand(ctx, journal.Presence{})
	if err != nil {
		return "", err
	}
	id := in.Journal
	if id == "" || st.Sends > 0 {
		id = cmp.Or(st.ID, id)
	}
	for _, c := range in.Given {
		if c.High == 0 {
			continue // it holds no sends, of whatever journal it is
		}
		if id == "" || st.Sends == 0 && in.Journal == "" {
			id = c.Journal
		}
		if c.Journal != id {
			return "", fmt.Errorf("send log %s is of journal %s, and this Redis holds journal %s: point REDIS_URL at the other one", c.Name, c.Journal, id)
		}
	}
	return id, nil
}

// merge brings the sends of several logs into the order in which they were let
// through, with the last outcome of each.
func merge(logs []sendlog.Contents) ([]sendlog.Send, map[string]sendlog.Outcome) {
	var sends []sendlog.Send
	outcomes := map[string]sendlog.Outcome{}
	seen := map[string]bool{}
	for _, c := range logs {
		for _, s := range c.Sends {
			if !seen[s.Nonce] {
				seen[s.Nonce] = true
				sends = append(sends, s)
			}
		}
		for nonce, out := range c.Outcomes {
			if was, found := outcomes[nonce]; !found || !out.At.Before(was.At) {
				outcomes[nonce] = out
			}
		}
	}
	slices.SortStableFunc(sends, func(a, b sendlog.Send) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), a.At.Compare(b.At))
	})
	return sends, outcomes
}

// recoverSend writes one send. It returns nil where the journal knew it all.
func (o *Operator) recoverSend(ctx context.Context, s sendlog.Send, outcomes map[string]sendlog.Outcome) (*SendRecovery, error) {
	now := o.Now().UTC()
	due := s.At.Add(o.SettleAfter)
	if due.Before(now) {
		due = now
	}
	res, err := o.Journal.Resurrect(ctx, now, journal.LostSend{
		Op: s.Op, Seq: s.Seq, Attempt: s.Attempt, Nonce: s.Nonce, Class: s.Class, Lane: s.Lane, Budgets: s.Budgets,
		Amount: s.Amount, Quote: s.Quote, Evidence: s.Evidence, At: s.At, Due: due,
	})
	if err != nil {
		return nil, err
	}
	row := &SendRecovery{Op: s.Op.ID, Kind: s.Op.Kind, Attempt: s.Attempt, SentAt: s.At, Outcome: string(planner.Unknown), Amount: s.Amount.String()}
	if res.Twice {
		return o.twice(ctx, s, row)
	}
	out, told := outcomes[s.Nonce]
	open := res.State == planner.Unknown || res.State == planner.Sending
	if told && out.Final() && open && res.Nonce == s.Nonce {
		return o.settleSend(ctx, s, out, res, row)
	}
	if !res.Written {
		return nil, nil
	}
	return row, nil
}

// settleSend ends the doubt about a send by what its log tells.
func (o *Operator) settleSend(ctx context.Context, s sendlog.Send, out sendlog.Outcome, res journal.Resurrection, row *SendRecovery) (*SendRecovery, error) {
	op, err := o.get(ctx, s.Op.ID)
	if err != nil {
		return nil, err
	}
	note := "the send log tells what became of it"
	if out.Note != "" {
		note += ": " + out.Note
	}
	_, err = o.Journal.Settle(ctx, journal.Settlement{
		Op: op, From: res.State, Nonce: s.Nonce, Stamp: "recovered " + s.Nonce, To: out.To, Now: o.Now().UTC(),
		Cost: out.Cost, Refund: out.Refund, RefundAtMost: out.RefundAtMost, JobID: cmp.Or(out.JobID, op.JobID), Made: out.Made, SeatsAdded: out.SeatsAdded,
		Error: out.Error, Note: note,
	})
	var taken *journal.ErrTaken
	var conflict *journal.ErrConflict
	switch {
	case errors.As(err, &taken):
		// Read back, its own job is found by its marker.
		return row, nil
	case errors.As(err, &conflict):
		return nil, nil // its sender is alive, and was first
	case err != nil:
		return nil, err
	}
	row.Outcome = string(out.To)
	if out.Cost != nil {
		row.Amount = out.Cost.String()
	}
	return row, nil
}

// twice tells people of a send that was made again by a runner that did not
// know of it.
func (o *Operator) twice(ctx context.Context, s sendlog.Send, row *SendRecovery) (*SendRecovery, error) {
	row.Outcome = outcomeTwice
	message := fmt.Sprintf("operation %s was sent at %s, and sent again after Redis had lost that: look for two of it on the marketplace "+
		"(%s USD), and run `enqueue audit`", s.Op.ID, s.At.UTC().Format(time.RFC3339), s.Amount)
	return row, o.Journal.Alert(ctx, o.Now(), "twice:"+s.Op.ID, message)
}

// thaw lets sends go on after a recovery of a Redis of one incarnation: for the
// runners whose logs it had, and those that it went without. It returns the
// freezes that are left.
func (o *Operator) thaw(ctx context.Context, in Sends, server string) ([]journal.Freeze, error) {
	id, err := o.journalOf(ctx, in)
	if err != nil {
		return nil, err
	}
	var holders []string
	vouch := slices.Clone(in.Without)
	for _, c := range in.Logs {
		if c.Journal == id || c.High == 0 {
			holders = append(holders, c.Holder)
		}
	}
	for _, c := range in.Given {
		vouch = append(vouch, c.Holder)
	}
	holders = append(holders, vouch...)
	if len(holders) == 0 {
		return nil, nil
	}
	if len(vouch) > 0 {
		if _, err := o.Journal.Stand(ctx, journal.Presence{Incarnation: server, Also: vouch}); err != nil {
			return nil, err
		}
	}
	if err := o.Journal.Thaw(ctx, holders...); err != nil {
		return nil, err
	}
	st, err := o.Journal.Stand(ctx, journal.Presence{})
	return st.Frozen, err
}
