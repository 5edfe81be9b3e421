package executor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

const (
	// fewRatings is how many ratings are not worth a page.
	fewRatings = 2
	// pacedWait is a wait for the rate limit that shows that it holds work back:
	// then an operation is begun when it may be sent, and not with a page.
	pacedWait = 5 * time.Millisecond
	// settleSize and settleIdle are when ratings that were made are written: so
	// many of them, or no other for so long.
	settleSize = 64
	settleIdle = 20 * time.Millisecond
)

// ratings splits the ratings that can travel as a page from all else. Those
// that were held are looked at one by one, as all are while the rate limit or
// the marketplace itself is what takes time.
func (e *Executor) ratings(ops []*journal.Op) (page, rest []*journal.Op) {
	if e.slow.Load() || e.paced.Load() || e.changes.isOpen() {
		return nil, ops
	}
	for _, op := range ops {
		if op.Damage == nil && op.Kind == planner.Rate && op.State == planner.Queued && op.Rating != nil && op.Rating.HoldUntil.IsZero() {
			page = append(page, op)
		} else {
			rest = append(rest, op)
		}
	}
	if len(page) < fewRatings {
		return nil, ops
	}
	return page, rest
}

// sent is a rating that is on its way, or was made.
type sent struct {
	op  *journal.Op
	c   *call
	eff effect
}

// ratePage carries a page of ratings out: they are begun in one script, their
// lines of the send log share an fsync, each is sent by itself, and those that
// were made are settled together. Each attempt is one request, as ever. It
// returns the ratings that must be carried out one by one.
func (e *Executor) ratePage(ctx context.Context, ops []*journal.Op) (rest []*journal.Op, next []Next, err error) {
	pass, err := e.Witness.Enter()
	if err != nil {
		return ops, nil, nil //nolint:nilerr // each is told, and put off
	}
	var page []sent
	for i, op := range ops {
		c, err := e.prepare(ctx, op)
		if err != nil {
			rest = append(rest, op)
			continue
		}
		c.pass = pass
		before := e.Now()
		if err := e.Wait(ctx); err != nil {
			return nil, nil, err
		}
		page = append(page, sent{op: op, c: c})
		if e.Now().Sub(before) > pacedWait {
			e.paced.Store(true)
			rest = append(rest, ops[i+1:]...)
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	now := e.Now()
	starts := make([]journal.Start, len(page))
	for i, s := range page {
		starts[i] = journal.Start{Op: s.op, Nonce: e.Draw()}
	}
	// As with one that is begun by itself, a shutdown must not cut off the answer.
	passages, err := e.Journal.BeginPage(context.WithoutCancel(ctx), now, now.Add(e.Abandon), starts)
	if err != nil {
		return nil, nil, err
	}
	var through []sent
	for i, s := range page {
		if passages[i].Gate != journal.Through {
			more, rerr := e.refused(ctx, s.op, s.c, passages[i])
			next, err = append(next, more...), errors.Join(err, rerr)
			continue
		}
		s.op.Attempts, s.op.Nonce, s.c.passage = passages[i].Attempt, starts[i].Nonce, passages[i]
		through = append(through, s)
	}
	more, serr := e.sendPage(context.WithoutCancel(ctx), through, now.Add(e.SendWithin))
	return rest, append(next, more...), errors.Join(err, serr)
}

// sendPage makes the requests of a page, as many at a time as may be in flight,
// and settles what became of them.
func (e *Executor) sendPage(ctx context.Context, page []sent, before time.Time) ([]Next, error) {
	var (
		mu   sync.Mutex
		next []Next
		errs []error
		wg   sync.WaitGroup
		at   atomic.Int64
		made = make(chan sent, len(page))
		out  = api.SendBefore(api.WithPermit(ctx), before)
	)
	if len(page) == 0 {
		return nil, nil
	}
	note := func(op *journal.Op, more []Next, err error) {
		mu.Lock()
		defer mu.Unlock()
		next = append(next, more...)
		if err != nil && op != nil {
			err = fmt.Errorf("operation %s: %w", op.ID, err)
		}
		errs = append(errs, err)
	}
	if err := e.recordPage(ctx, page); err != nil {
		for _, s := range page {
			more, terr := e.turnBack(ctx, s.op, err)
			note(s.op, more, terr)
		}
		return next, errors.Join(errs...)
	}
	for range min(len(page), e.Concurrency) {
		wg.Go(func() {
			for i := at.Add(1); i <= int64(len(page)); i = at.Add(1) {
				s := page[i-1]
				done, more, err := e.sendOne(ctx, out, &s)
				if done {
					made <- s
					continue
				}
				note(s.op, more, err)
			}
		})
	}
	go func() { wg.Wait(); close(made) }()
	for batch := range batches(made) {
		more, err := e.settleMade(ctx, batch)
		note(nil, more, err)
	}
	return next, errors.Join(errs...)
}

// sendOne makes one request of a page. done tells that it was made and is still
// to be settled; all else is settled here.
func (e *Executor) sendOne(ctx, out context.Context, s *sent) (done bool, next []Next, err error) {
	defer func() {
		if p := recover(); p != nil {
			done = false
			next, err = e.panicked(ctx, s.op, p)
		}
	}()
	eff, err := e.request(out, s.op, s.c, true)
	var unsent *unsentError
	switch {
	case errors.As(err, &unsent):
		next, err = e.turnBack(ctx, s.op, unsent.cause)
	case err != nil:
		next, err = e.failed(ctx, s.op, s.c, err)
	default:
		s.eff = eff
		return true, nil, nil
	}
	return false, next, err
}

// batches yields what comes in, many at a time, and never lets one wait for a
// slow neighbour.
func batches(in <-chan sent) func(yield func([]sent) bool) {
	return func(yield func([]sent) bool) {
		idle := time.NewTimer(settleIdle)
		defer idle.Stop()
		var batch []sent
		for {
			var full bool
			select {
			case s, open := <-in:
				if !open {
					if len(batch) > 0 {
						yield(batch)
					}
					return
				}
				batch = append(batch, s)
				full = len(batch) >= settleSize
				idle.Reset(settleIdle)
			case <-idle.C:
				full = len(batch) > 0
				idle.Reset(settleIdle)
			}
			if full {
				if !yield(batch) {
					return
				}
				batch = nil
			}
		}
	}
}

// settleMade writes that ratings were made. What the journal will not take from
// a page is settled by itself, where it is told why.
func (e *Executor) settleMade(ctx context.Context, batch []sent) (next []Next, err error) {
	e.recovered(ctx, e.changes)
	now := e.Now()
	list := make([]journal.Settlement, len(batch))
	for i, s := range batch {
		list[i] = journal.Settlement{
			Op: s.op, From: planner.Sending, Nonce: s.op.Nonce, Stamp: e.Draw(), To: planner.Applied, Now: now,
			JobID: s.op.JobID, Note: s.eff.note,
		}
	}
	e.testify(list...)
	written, err := e.Journal.SettlePage(ctx, now, list)
	if err != nil {
		return nil, err
	}
	for i, s := range batch {
		if written[i] {
			continue
		}
		more, aerr := e.applied(ctx, s.op, planner.Sending, 0, s.eff)
		next, err = append(next, more...), errors.Join(err, aerr)
	}
	return next, err
}
