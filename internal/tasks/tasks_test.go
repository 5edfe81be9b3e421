package tasks_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/tasks"
)

// noon is the runner's clock when the tests begin.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// rig is a redis-server with a journal and the queues.
type rig struct {
	t         *testing.T
	now       time.Time
	rdb       redis.UniversalClient
	books     *journal.Journal
	client    *tasks.Client
	sweeper   *tasks.Sweeper
	inspector *asynq.Inspector
	abandoned []string
}

func setup(t *testing.T) *rig {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not in PATH: install it, Asynq is tested on a real one")
	}
	r := &rig{t: t, now: noon}
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	r.must(err)
	t.Cleanup(func() { _ = server.Close() })
	r.rdb, err = embedded.Connect(server.URL(), embedded.Options{})
	r.must(err)
	t.Cleanup(func() { _ = r.rdb.Close() })
	once, err := embedded.Connect(server.URL(), embedded.Options{Once: true})
	r.must(err)
	t.Cleanup(func() { _ = once.Close() })
	r.books, err = journal.Open(once)
	r.must(err)
	clock := func() time.Time { return r.now }
	r.client = tasks.NewClient(r.rdb, clock, 60)
	r.inspector = asynq.NewInspectorFromRedisClient(r.rdb)
	r.sweeper = tasks.NewSweeper(tasks.SweeperConfig{
		Redis: r.rdb, Journal: r.books, Client: r.client, Now: clock, Log: slog.New(slog.DiscardHandler),
		Abandoned: func(_ context.Context, ids []string) ([]executor.Next, error) {
			r.abandoned = append(r.abandoned, ids...)
			next := make([]executor.Next, len(ids))
			for i, id := range ids {
				next[i] = executor.Next{ID: id, Queue: planner.QueueWatch, Due: r.now.Add(2 * time.Minute)}
			}
			return next, nil
		},
	})
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) same(what string, got, want any) {
	r.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// plan writes creates to the journal.
func (r *rig) plan(n int) []planner.Operation {
	r.t.Helper()
	ops := make([]planner.Operation, n)
	for i := range ops {
		item := fmt.Sprint(i)
		ops[i] = planner.Operation{
			ID: planner.NewID("c", "create", item, noon), Campaign: "c", Action: "create", Item: item, Kind: planner.Create, Slot: noon,
		}
	}
	_, err := r.books.Create(r.t.Context(), r.now, nil, journal.Queue(ops))
	r.must(err)
	return ops
}

func (r *rig) sweep() int {
	r.t.Helper()
	n, err := r.sweeper.Sweep(r.t.Context())
	r.must(err)
	return n
}

// size is how many tasks of a queue are in a state.
func (r *rig) size(queue planner.Queue, state asynq.TaskState) int {
	r.t.Helper()
	info, err := r.inspector.GetQueueInfo(string(queue))
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0
	}
	r.must(err)
	switch state {
	case asynq.TaskStatePending:
		return info.Pending
	case asynq.TaskStateScheduled:
		return info.Scheduled
	case asynq.TaskStateArchived:
		return info.Archived
	}
	return info.Size
}

// forget takes all that Asynq holds, but for the names of its queues, which it
// writes once a process.
func (r *rig) forget() {
	r.t.Helper()
	keys, err := r.rdb.Keys(r.t.Context(), "asynq:*").Result()
	r.must(err)
	keys = slices.DeleteFunc(keys, func(k string) bool { return k == "asynq:queues" })
	if len(keys) > 0 {
		r.must(r.rdb.Del(r.t.Context(), keys...).Err())
	}
}

// performer notes what it is given and then does what the test says.
type performer struct {
	mu   sync.Mutex
	ids  []string
	got  chan []string
	then func(ctx context.Context, ids []string) ([]executor.Next, error)
}

func newPerformer() *performer { return &performer{got: make(chan []string, 1000)} }

func (p *performer) Perform(ctx context.Context, ids []string) ([]executor.Next, error) {
	p.mu.Lock()
	p.ids = append(p.ids, ids...)
	p.mu.Unlock()
	p.got <- ids
	if p.then == nil {
		return nil, nil
	}
	return p.then(ctx, ids)
}

func (p *performer) Review(ctx context.Context, r journal.Review) ([]executor.Next, error) {
	return p.Perform(ctx, []string{"review " + r.Campaign})
}

// wait returns the next page that was performed.
func (p *performer) wait(t *testing.T) []string {
	t.Helper()
	select {
	case ids := <-p.got:
		return ids
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was performed")
		return nil
	}
}

// serve starts workers that end with the test.
func (r *rig) serve(p *performer) *tasks.Server {
	r.t.Helper()
	s := tasks.NewServer(tasks.ServerConfig{
		Redis: r.rdb, Client: r.client, Performer: p, Reviewer: p, Log: slog.New(slog.DiscardHandler),
	})
	r.must(s.Start())
	r.t.Cleanup(s.Shutdown)
	return s
}

func TestOperationsTravelInPagesOfTheirQueue(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ops := r.plan(120)
	pauses := []planner.Operation{planner.OnJob("c", "pause", planner.Pause, planner.Job{ID: 1}, noon)}
	r.must(r.client.Operations(t.Context(), append(ops, pauses...)))
	r.same("tasks of money", r.size(planner.QueueMoney, asynq.TaskStatePending), 5)
	r.same("tasks of control", r.size(planner.QueueControl, asynq.TaskStatePending), 1)
	p := newPerformer()
	r.serve(p)
	var got []string
	for range 6 {
		page := p.wait(t)
		if len(page) > 25 {
			t.Errorf("a page has %d operations", len(page))
		}
		got = append(got, page...)
	}
	slices.Sort(got)
	r.same("performed", len(slices.Compact(got)), 121)
}

func TestAPauseNeverWaitsBehindPurchases(t *testing.T) {
	t.Parallel()
	r := setup(t)
	p := newPerformer()
	release := make(chan struct{})
	p.then = func(_ context.Context, ids []string) ([]executor.Next, error) {
		if ids[0] != "pause" {
			<-release
		}
		return nil, nil
	}
	for i := range 20 {
		r.must(r.client.Enqueue(t.Context(), []executor.Next{{ID: fmt.Sprint(i), Queue: planner.QueueMoney}}))
	}
	r.serve(p)
	t.Cleanup(func() { close(release) })
	for range 8 {
		p.wait(t) // all workers of that queue are busy
	}
	r.must(r.client.Enqueue(t.Context(), []executor.Next{{ID: "pause", Queue: planner.QueueControl}}))
	r.same("performed next", p.wait(t), []string{"pause"})
}

func TestFollowUpsRunWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	r := setup(t)
	p := newPerformer()
	p.then = func(_ context.Context, ids []string) ([]executor.Next, error) {
		if ids[0] != "first" {
			return nil, nil
		}
		return []executor.Next{
			{ID: "at once", Queue: planner.QueueMoney},
			{ID: "past", Queue: planner.QueueMoney, Due: noon.Add(-time.Hour)},
			{ID: "soon", Queue: planner.QueueWatch, Due: noon.Add(30 * time.Second)},
			{ID: "later", Queue: planner.QueueWatch, Due: noon.Add(48 * time.Hour)},
		}, nil
	}
	r.must(r.client.Enqueue(t.Context(), []executor.Next{{ID: "first", Queue: planner.QueueMoney}}))
	r.serve(p)
	var got []string
	for len(got) < 4 {
		got = append(got, p.wait(t)...)
	}
	r.same("performed last, half a minute of a clock that runs 60 times faster", got[3], "soon")
	r.same("left for the day after tomorrow", r.size(planner.QueueWatch, asynq.TaskStateScheduled), 1)
}

func TestAPageThatFailedRunsAgain(t *testing.T) {
	t.Parallel()
	r := setup(t)
	p := newPerformer()
	failed := false
	p.then = func(context.Context, []string) ([]executor.Next, error) {
		if !failed {
			failed = true
			return nil, errors.New("redis does not answer")
		}
		return nil, nil
	}
	r.must(r.client.Enqueue(t.Context(), []executor.Next{{ID: "a", Queue: planner.QueueMoney}}))
	r.serve(p)
	r.same("the first time", p.wait(t), []string{"a"})
	r.same("the second time", p.wait(t), []string{"a"})
}

func TestAShutdownInThePageLosesNothing(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ops := r.plan(3)
	p := newPerformer()
	p.then = func(ctx context.Context, _ []string) ([]executor.Next, error) {
		<-ctx.Done()
		return []executor.Next{{ID: "settled on the way out", Queue: planner.QueueWatch}}, ctx.Err()
	}
	r.must(r.client.Operations(t.Context(), ops))
	first := r.serve(p)
	page := p.wait(t)
	first.Shutdown()
	next := newPerformer()
	r.serve(next)
	var again []string
	for len(again) < len(page)+1 {
		again = append(again, next.wait(t)...)
	}
	slices.Sort(again)
	want := append([]string{"settled on the way out"}, page...)
	slices.Sort(want)
	r.same("performed by the next", again, want)
}

func TestARatingRunIsCarried(t *testing.T) {
	t.Parallel()
	r := setup(t)
	p := newPerformer()
	r.must(r.client.Review(t.Context(), journal.Review{Campaign: "c", Action: "rate", Slot: noon}))
	r.serve(p)
	r.same("performed", p.wait(t), []string{"review c"})
}

func TestATaskOfAnotherMakeIsPutAside(t *testing.T) {
	t.Parallel()
	r := setup(t)
	raw := asynq.NewClientFromRedisClient(r.rdb)
	_, err := raw.EnqueueContext(t.Context(), asynq.NewTask(tasks.TypePerform, []byte("{")), asynq.Queue("money"))
	r.must(err)
	r.must(r.client.Enqueue(t.Context(), []executor.Next{{ID: "after", Queue: planner.QueueMoney}}))
	p := newPerformer()
	r.serve(p)
	r.same("performed", p.wait(t), []string{"after"})
}

func TestWhatLostItsTaskIsDrivenAgain(t *testing.T) {
	t.Parallel()
	r := setup(t)
	ops := r.plan(120)
	r.must(r.client.Operations(t.Context(), ops))
	r.same("driven while it has tasks", r.sweep(), 0)
	r.now = noon.Add(time.Minute)
	r.same("driven while it has tasks, overdue", r.sweep(), 0)
	r.forget()
	r.same("driven after they were lost", r.sweep(), 120)
	r.same("tasks", r.size(planner.QueueMoney, asynq.TaskStatePending), 5)
	r.same("driven twice", r.sweep(), 0)
}

func TestWhatIsNotOverdueIsLeftInPeace(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.plan(3)
	r.now = noon.Add(14 * time.Second)
	r.same("driven", r.sweep(), 0)
	r.now = noon.Add(16 * time.Second)
	r.same("driven when overdue", r.sweep(), 3)
}

func TestEachStateIsDrivenOnItsQueue(t *testing.T) {
	t.Parallel()
	r := setup(t)
	op := planner.OnJob("c", "pause", planner.Pause, planner.Job{ID: 1}, noon)
	_, err := r.books.Create(t.Context(), r.now, nil, journal.Queue([]planner.Operation{op}))
	r.must(err)
	doubt := r.sending(r.plan(1)[0].ID, noon)
	_, err = r.books.Settle(t.Context(), journal.Settlement{Op: doubt, From: planner.Sending, Stamp: "s", To: planner.Unknown, Now: r.now, Due: noon.Add(2 * time.Minute)})
	r.must(err)
	r.now = noon.Add(time.Minute)
	r.same("driven", r.sweep(), 1)
	r.same("on control", r.size(planner.QueueControl, asynq.TaskStatePending), 1)
	r.now = noon.Add(3 * time.Minute)
	r.same("driven when the doubt is due", r.sweep(), 1)
	r.same("on the watch", r.size(planner.QueueWatch, asynq.TaskStatePending), 1)
}

// sending begins an operation and leaves it.
func (r *rig) sending(id string, deadline time.Time) *journal.Op {
	r.t.Helper()
	op, err := r.books.Get(r.t.Context(), id)
	r.must(err)
	p, err := r.books.Begin(r.t.Context(), journal.Start{
		Op: op, Nonce: "n", Now: r.now, Deadline: deadline, Amount: 5, Limits: []journal.Limit{{Scope: "c:c", Window: "total", Cap: -1}},
	})
	r.must(err)
	r.same("gate", p.Gate, journal.Through)
	op, err = r.books.Get(r.t.Context(), id)
	r.must(err)
	return op
}

func TestASenderThatIsGoneIsGivenUp(t *testing.T) {
	t.Parallel()
	r := setup(t)
	id := r.plan(1)[0].ID
	r.sending(id, noon.Add(90*time.Second))
	r.now = noon.Add(89 * time.Second)
	r.sweep()
	r.same("given up before its deadline", len(r.abandoned), 0)
	r.now = noon.Add(91 * time.Second)
	r.same("driven", r.sweep(), 1)
	r.same("given up", r.abandoned, []string{id})
	r.same("on the watch, later", r.size(planner.QueueWatch, asynq.TaskStateScheduled), 1)
}

func TestTasksThatWerePutAsideGiveTheirOperationsBack(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.must(r.client.Operations(t.Context(), r.plan(3)))
	_, err := r.inspector.ArchiveAllPendingTasks("money")
	r.must(err)
	r.now = noon.Add(time.Minute)
	r.same("driven", r.sweep(), 3)
	r.same("put aside", r.size(planner.QueueMoney, asynq.TaskStateArchived), 0)
	r.same("pending", r.size(planner.QueueMoney, asynq.TaskStatePending), 1)
}

func TestARatingRunThatLostItsTaskIsDrivenAgain(t *testing.T) {
	t.Parallel()
	r := setup(t)
	review := journal.Review{Campaign: "c", Action: "rate", Slot: noon}
	r.must(r.books.AddReview(t.Context(), r.now, review))
	for range 3 {
		r.sweep()
		r.same("tasks", r.size(planner.QueueWatch, asynq.TaskStatePending), 1)
	}
	r.must(r.books.FinishReview(t.Context(), review))
	r.forget()
	r.sweep()
	r.same("tasks of a finished run", r.size(planner.QueueWatch, asynq.TaskStatePending), 0)
}
