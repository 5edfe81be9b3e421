package executor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// paper is a send log in memory that may refuse a line.
type paper struct {
	mu     sync.Mutex
	nonces map[string]int
	made   int
	refuse bool
}

func (p *paper) Enter() (sendlog.Pass, error) { return 1, nil }
func (p *paper) Check(sendlog.Pass) error     { return nil }
func (p *paper) Doubt(string)                 {}

func (p *paper) Outcome(list ...sendlog.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made += len(list)
}

func (p *paper) Record(_ context.Context, _ sendlog.Pass, sends ...sendlog.Send) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse {
		return errors.New("the disk is full")
	}
	if p.nonces == nil {
		p.nonces = map[string]int{}
	}
	for _, s := range sends {
		p.nonces[s.Nonce]++
	}
	return nil
}

// pageOf is n ratings that are planned, and the log that witnesses them.
func pageOf(t *testing.T, n int) (*rig, *paper, []string) {
	t.Helper()
	r := setup(t, sandbox.Config{})
	log := &paper{}
	r.exec = r.executor(func(cfg *executor.Config) { cfg.Witness = log })
	apps, err := r.box.AddApplications(r.created(), n)
	r.must(err)
	ids := make([]string, n)
	for i, app := range apps {
		ids[i] = r.rating(app, campaigns.Approve)
	}
	return r, log, ids
}

func TestAPageOfRatingsIsWitnessedBeforeItLeaves(t *testing.T) {
	t.Parallel()
	r, log, ids := pageOf(t, 9)
	before := len(log.nonces)
	_, err := r.exec.Perform(t.Context(), ids)
	r.must(err)
	for _, id := range ids {
		r.want(id, planner.Applied)
	}
	if got := r.box.Traffic().Received["rate"]; got != 9 || len(log.nonces)-before != 9 {
		t.Errorf("%d requests arrived and %d lines were written, want 9 of each", got, len(log.nonces)-before)
	}
	_, err = r.exec.Perform(t.Context(), ids)
	r.must(err)
	if got := r.box.Traffic().Received["rate"]; got != 9 {
		t.Errorf("the page sent %d more when it came again", got-9)
	}
}

func TestAPageThatCannotBeWitnessedIsNotSent(t *testing.T) {
	t.Parallel()
	r, log, ids := pageOf(t, 5)
	log.refuse = true
	next, err := r.exec.Perform(t.Context(), ids)
	r.must(err)
	if got := r.box.Traffic().Received["rate"]; got != 0 || len(next) != 5 {
		t.Errorf("%d requests arrived and %d come again, want 0 and 5", got, len(next))
	}
	for _, id := range ids {
		r.want(id, planner.Queued)
	}
}

func TestTwoWorkersOnOnePageSendEachRatingOnce(t *testing.T) {
	t.Parallel()
	r, _, ids := pageOf(t, 9)
	second := r.executor(nil)
	var wg sync.WaitGroup
	for _, e := range []*executor.Executor{r.exec, second, r.exec} {
		wg.Go(func() {
			if _, err := e.Perform(t.Context(), ids); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		r.want(id, planner.Applied)
	}
	if got := r.box.Traffic().Received["rate"]; got != 9 {
		t.Errorf("%d requests arrived for 9 ratings", got)
	}
}

func TestAPageThatIsNotLetThroughSendsNothing(t *testing.T) {
	t.Parallel()
	r, log, ids := pageOf(t, 5)
	r.must(r.books.Freeze(t.Context(), "", journal.Freeze{Holder: "h", Reason: "lost writes", At: r.clock.now()}))
	before := len(log.nonces)
	r.must2(r.exec.Perform(t.Context(), ids))
	if got := r.box.Traffic().Received["rate"]; got != 0 || len(log.nonces) != before {
		t.Errorf("%d requests arrived and %d lines were written, want none", got, len(log.nonces)-before)
	}
	for _, id := range ids {
		r.want(id, planner.Queued)
	}
}

func TestNothingIsSentThatCannotBeWitnessed(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"create", "add_seats", "pause", "resume", "restart", "update"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{})
			if kind != "create" {
				r.created()
			}
			if kind == "resume" {
				r.occurrence("pause")
				r.settle()
			}
			r.clock.advance(time.Minute)
			log := &paper{refuse: true}
			r.exec = r.executor(func(cfg *executor.Config) { cfg.Witness = log })
			ids := r.occurrence(kind)
			before := r.box.Traffic().Received[kind]
			r.must2(r.exec.Perform(t.Context(), ids))
			if got := r.box.Traffic().Received[kind] - before; got != 0 {
				t.Errorf("%d requests arrived that no line tells of", got)
			}
			for _, id := range ids {
				r.want(id, planner.Queued)
			}
			log.refuse = false
			r.settle()
			for _, id := range ids {
				r.want(id, planner.Applied)
			}
			r.agree()
		})
	}
}
