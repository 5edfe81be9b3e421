package executor_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// epoch is when the tests begin.
var epoch = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// clock is moved by the test and read by the executor and the marketplace.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return epoch.Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// rig is an executor between a journal and a marketplace over real HTTP.
type rig struct {
	t      testing.TB
	clock  *clock
	redis  *miniredis.Miniredis
	box    *sandbox.Sandbox
	url    string
	market *api.Client
	books  *journal.Journal
	exec   *executor.Executor
	draws  atomic.Int64
	spec   *campaigns.Campaign
}

func setup(t testing.TB, cfg sandbox.Config) *rig {
	t.Helper()
	r := &rig{t: t, clock: &clock{}, redis: miniredis.RunT(t)}
	cfg.Now = r.clock.now
	cfg.Crowd.Off = true
	if cfg.PageSize == 0 {
		cfg.PageSize = 3
	}
	r.box = sandbox.New(cfg)
	server := httptest.NewServer(r.box)
	t.Cleanup(server.Close)
	t.Cleanup(r.box.Close)
	r.url = server.URL + sandbox.BasePath
	r.market = r.client(5 * time.Second)
	rdb, err := embedded.Connect("redis://"+r.redis.Addr(), embedded.Options{Once: true})
	r.must(err)
	t.Cleanup(func() { _ = rdb.Close() })
	r.books, err = journal.Open(rdb)
	r.must(err)
	r.exec = r.executor(nil)
	r.spec = campaign()
	r.register()
	_, err = r.exec.Balance(t.Context())
	r.must(err)
	return r
}

// client is one of the marketplace that waits so long for an answer.
func (r *rig) client(timeout time.Duration) *api.Client {
	r.t.Helper()
	key, err := api.NewKey("key")
	r.must(err)
	market, err := api.New(api.Config{BaseURL: r.url, Key: key, Now: r.clock.now, Timeout: timeout})
	r.must(err)
	r.t.Cleanup(market.Close)
	return market
}

// hurried gives the executor a client that waits less long for an answer.
func (r *rig) hurried(timeout time.Duration) {
	r.t.Helper()
	r.market = r.client(timeout)
	r.exec = r.executor(nil)
}

// executor makes another worker on the same journal and marketplace.
func (r *rig) executor(edit func(*executor.Config)) *executor.Executor {
	cfg := executor.Config{
		Journal: r.books, Market: r.market, Now: r.clock.now,
		Draw:        func() string { return fmt.Sprintf("draw-%d", r.draws.Add(1)) },
		Jitter:      func(d time.Duration) time.Duration { return d / 2 },
		Log:         slog.New(slog.DiscardHandler),
		SettleAfter: 2 * time.Minute,
	}
	if edit != nil {
		edit(&cfg)
	}
	return executor.New(cfg)
}

// campaign is a job for each of three items, and one action of each kind.
func campaign() *campaigns.Campaign {
	title := "Signs, winter round"
	return &campaigns.Campaign{
		Name: "signs", Source: "file", Timezone: "UTC",
		Items: []campaigns.Item{{Key: "a"}, {Key: "b"}, {Key: "c"}},
		Job: &campaigns.Job{
			Title: "Signs", Category: "201", Price: money.MustParse("0.05"), Seats: 10, Minutes: 5,
			Countries: []string{"INT"}, Steps: []string{"Type every sign."},
			Proof: []campaigns.Proof{{Type: "text", Text: "The signs"}},
		},
		Actions: []campaigns.Action{
			{ID: "create", Do: campaigns.DoCreate, Now: true},
			{ID: "add_seats", Do: campaigns.DoAddSeats, Now: true, Seats: 20},
			{ID: "fill", Do: campaigns.DoAddSeats, Now: true, UpTo: 100},
			{ID: "pause", Do: campaigns.DoPause, Now: true},
			{ID: "resume", Do: campaigns.DoResume, Now: true, Seats: 7, Jobs: campaigns.JobsLatest},
			{ID: "restart", Do: campaigns.DoRestart, Now: true},
			{ID: "update", Do: campaigns.DoUpdate, Now: true, Set: &campaigns.Update{
				Title: &title, Steps: []string{"Type every sign that you can read."},
			}},
		},
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) register() {
	r.t.Helper()
	r.must(r.books.Register(r.t.Context(), r.clock.now(), r.spec))
}

func (r *rig) faults(text string) {
	r.t.Helper()
	plan, err := sandbox.ParseFaults(text)
	r.must(err)
	r.box.SetFaults(plan)
}

// plan writes operations and returns their ids.
func (r *rig) plan(ops ...planner.Operation) []string {
	r.t.Helper()
	ids, err := r.books.Create(r.t.Context(), r.clock.now(), nil, journal.Queue(ops))
	r.must(err)
	return ids
}

// occurrence plans one action of the campaign for all its jobs.
func (r *rig) occurrence(action string) []string {
	r.t.Helper()
	for i := range r.spec.Actions {
		if a := &r.spec.Actions[i]; a.ID == action {
			jobs, err := r.books.Jobs(r.t.Context(), r.spec.Name)
			r.must(err)
			return r.plan(planner.Expand(r.spec, a, r.clock.now(), journal.Views(jobs))...)
		}
	}
	r.t.Fatalf("no action %q", action)
	return nil
}

// open are the operations that may still move by themselves.
func (r *rig) open() []*journal.Op {
	r.t.Helper()
	all, err := r.books.Ops(r.t.Context(), journal.Filter{})
	r.must(err)
	var open []*journal.Op
	for _, op := range all {
		if !op.State.Settled() {
			open = append(open, op)
		}
	}
	return open
}

// step performs everything once and lets time pass until something is due.
func (r *rig) step() bool {
	r.t.Helper()
	ids, sending := []string{}, []string{}
	for _, op := range r.open() {
		ids = append(ids, op.ID)
		if op.State == planner.Sending {
			sending = append(sending, op.ID)
		}
	}
	if len(ids) == 0 {
		return false
	}
	_, err := r.exec.Perform(r.t.Context(), ids)
	r.must(err)
	_, err = r.exec.Abandoned(r.t.Context(), sending)
	r.must(err)
	left := r.open()
	if len(left) == 0 {
		return false
	}
	soonest := left[0].Due
	for _, op := range left {
		if op.Due.Before(soonest) {
			soonest = op.Due
		}
	}
	r.clock.advance(max(time.Millisecond, soonest.Sub(r.clock.now())))
	r.box.Tick()
	return true
}

// settle performs until nothing moves any more.
func (r *rig) settle() {
	r.t.Helper()
	for range 300 {
		if !r.step() {
			return
		}
	}
	for _, op := range r.open() {
		r.t.Errorf("%s is still %s: %s", op.ID, op.State, op.Error)
	}
	r.t.FailNow()
}

func (r *rig) op(id string) *journal.Op {
	r.t.Helper()
	op, err := r.books.Get(r.t.Context(), id)
	r.must(err)
	return op
}

// want checks an operation's state.
func (r *rig) want(id string, state planner.State) *journal.Op {
	r.t.Helper()
	op := r.op(id)
	if op.State != state {
		r.t.Errorf("%s is %s, want %s: %s", id, op.State, state, op.Error)
		for _, e := range op.History() {
			r.t.Logf("  %s attempt %d: %s %s", e.State, e.Attempt, e.Note, e.Evidence)
		}
	}
	return op
}

// created makes the campaign's jobs and returns the id of the first.
func (r *rig) created() int64 {
	r.t.Helper()
	ids := r.occurrence("create")
	r.settle()
	for _, id := range ids {
		r.want(id, planner.Applied)
	}
	return r.op(ids[0]).JobID
}

// agree compares every figure of our books with the marketplace's own.
func (r *rig) agree() {
	r.t.Helper()
	ctx := context.WithoutCancel(r.t.Context())
	theirs := r.box.Books()
	account, err := r.books.Account(ctx)
	r.must(err)
	r.equal("balance", account.Expected(), theirs.Balance)
	r.equal("charged", account.Charged, theirs.Charged)
	r.equal("refunded", account.Refunded, theirs.Refunded)
	r.equal("reserved", account.Reserved, 0)
	r.equal("unknown", account.Unknown, 0)
	if account.Inflight != 0 {
		r.t.Errorf("%d calls in flight, want none", account.Inflight)
	}
	for _, job := range theirs.Jobs {
		r.agreeOn(ctx, job)
	}
	for marker, n := range theirs.Creates {
		if strings.HasPrefix(marker, planner.MarkerPrefix) && n != 1 {
			r.t.Errorf("%d jobs carry %s, want 1", n, marker)
		}
	}
	r.sentOnce(ctx)
	r.ledgered(ctx)
}

func (r *rig) agreeOn(ctx context.Context, theirs sandbox.JobBooks) {
	r.t.Helper()
	ours, err := r.books.Job(ctx, theirs.JobID)
	if err != nil {
		r.t.Errorf("job %d is not in the books: %v", theirs.JobID, err)
		return
	}
	name := fmt.Sprintf("job %d ", theirs.JobID)
	r.equal(name+"charged", ours.Charged, theirs.Charged)
	r.equal(name+"refunded", ours.Refunded, theirs.Refunded)
	if want := int(theirs.Bought - theirs.Returned); ours.Seats != want {
		r.t.Errorf("%shas %d seats in our books, want %d", name, ours.Seats, want)
	}
	if ours.Lane != "" {
		r.t.Errorf("%sis still held by %s", name, ours.Lane)
	}
}

// sentOnce compares the requests that arrived with the attempts that were begun.
func (r *rig) sentOnce(ctx context.Context) {
	r.t.Helper()
	begun := map[planner.Kind]uint64{}
	all, err := r.books.Ops(ctx, journal.Filter{})
	r.must(err)
	for _, op := range all {
		begun[op.Kind] += uint64(op.Attempts)
	}
	received := r.box.Traffic().Received
	for kind, n := range begun {
		if got := received[string(kind)]; got > n {
			r.t.Errorf("%d requests %s arrived for %d attempts", got, kind, n)
		}
	}
}

// ledgered compares the entries with the budgets and totals.
func (r *rig) ledgered(ctx context.Context) {
	r.t.Helper()
	entries, err := r.books.Ledger(ctx)
	r.must(err)
	var charged, refunded money.USD
	for _, e := range entries {
		if e.Kind == "charge" {
			charged += e.Amount
		} else {
			refunded += e.Amount
		}
	}
	account, err := r.books.Account(ctx)
	r.must(err)
	r.equal("charges of the ledger", charged, account.Charged)
	r.equal("refunds of the ledger", refunded, account.Refunded)
	b := r.budget()
	r.equal("committed", b.Committed(), charged-refunded)
}

// budget is the campaign's own.
func (r *rig) budget() journal.Budget {
	r.t.Helper()
	b, err := r.books.Budget(context.WithoutCancel(r.t.Context()), journal.Limits(r.spec, r.clock.now())[0])
	r.must(err)
	return b
}

func (r *rig) equal(what string, got, want money.USD) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s is %s, want %s", what, got, want)
	}
}

// must2 is must for calls whose result does not matter.
func (r *rig) must2(_ any, err error) {
	r.t.Helper()
	r.must(err)
}
