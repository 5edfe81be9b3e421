package sendlog_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// redis is a Redis that several runners share. It can be set back, and carries
// on under another incarnation when a test says so.
type redis struct {
	t     *testing.T
	store *memory.Redis

	mu          sync.Mutex
	now         time.Time
	incarnation string
	draws       int
	items       int
}

func newRedis(t *testing.T) *redis {
	r := &redis{t: t, now: epoch, incarnation: "first.1"}
	r.store = memory.New(r.clock)
	return r
}

func (r *redis) clock() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now }

func (r *redis) pass(d time.Duration) { r.mu.Lock(); defer r.mu.Unlock(); r.now = r.now.Add(d) }

// restarted is Redis as it is after a restart or a fail-over.
func (r *redis) restarted(name string) { r.mu.Lock(); defer r.mu.Unlock(); r.incarnation = name }

// open returns a journal on a client that is told which server it is.
func (r *redis) open() *journal.Journal {
	r.t.Helper()
	books, err := journal.Open(server{r.store.Client(), r})
	r.must(err)
	return books
}

// server answers INFO.
type server struct {
	goredis.UniversalClient
	r *redis
}

func (s server) Info(ctx context.Context, _ ...string) *goredis.StringCmd {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	run, repl, _ := strings.Cut(s.r.incarnation, ".")
	info := goredis.NewStringCmd(ctx, "info")
	info.SetVal("# Server\r\nrun_id:" + run + "\r\n# Replication\r\nmaster_replid:" + repl + "\r\n")
	return info
}

func (r *redis) draw() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draws++
	return fmt.Sprint("draw-", r.draws)
}

// runner is one runner's share in the guarding.
type runner struct {
	*sendlog.Guard
	r     *redis
	books *journal.Journal
	dir   string
}

// runner starts a runner that has a data directory of its own.
func (r *redis) runner(name string) *runner { return r.in(r.t.TempDir(), name, nil) }

// in starts a runner in a data directory. over may stand between it and its journal.
func (r *redis) in(dir, name string, over func(*journal.Journal) sendlog.Journal) *runner {
	r.t.Helper()
	books := r.open()
	var j sendlog.Journal = books
	if over != nil {
		j = over(books)
	}
	g, err := sendlog.Start(context.Background(), sendlog.Config{
		Disk: sendlog.OS(dir), Journal: j, Address: "redis", Name: name, Incarnation: books.Incarnation,
		Now: r.clock, Draw: r.draw, Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	return &runner{Guard: g, r: r, books: books, dir: dir}
}

func (r *redis) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// holder is the name of the runner's log.
func (n *runner) holder() string {
	n.r.t.Helper()
	logs, err := sendlog.ReadAll(sendlog.OS(n.dir))
	n.r.must(err)
	return logs[0].Holder
}

// plan writes an operation into the journal.
func (n *runner) plan() *journal.Op {
	n.r.t.Helper()
	n.r.mu.Lock()
	n.r.items++
	item := fmt.Sprint("item-", n.r.items)
	n.r.mu.Unlock()
	op := planner.Operation{
		ID: planner.NewID("c", "create", item, epoch), Campaign: "c", Action: "create", Item: item, Kind: planner.Create, Slot: epoch,
	}
	_, err := n.books.Create(context.Background(), n.r.clock(), nil, journal.Queue([]planner.Operation{op}))
	n.r.must(err)
	got, err := n.books.Get(context.Background(), op.ID)
	n.r.must(err)
	return got
}

// begin asks for an operation to be let through.
func (n *runner) begin(op *journal.Op) (journal.Passage, string) {
	n.r.t.Helper()
	nonce := n.r.draw()
	p, err := n.books.Begin(context.Background(), journal.Start{Op: op, Nonce: nonce, Now: n.r.clock(), Deadline: n.r.clock().Add(time.Minute)})
	n.r.must(err)
	return p, nonce
}

// send takes an operation through the door and into the log, as an executor does.
func (n *runner) send(op *journal.Op) error {
	n.r.t.Helper()
	pass, err := n.Enter()
	if err != nil {
		return err
	}
	p, nonce := n.begin(op)
	if p.Gate == journal.Lost {
		n.Doubt("the journal forgot what it acknowledged")
	}
	if p.Gate != journal.Through {
		return fmt.Errorf("gate: %s", p.Gate)
	}
	return n.Record(context.Background(), pass, sendlog.Send{
		Seq: p.Seq, At: n.r.clock(), Op: op.Operation, Attempt: p.Attempt, Nonce: nonce, Class: p.Class, Lane: p.Lane, Budgets: p.Budgets,
	})
}

// sends is send that must succeed.
func (n *runner) sends() *journal.Op {
	n.r.t.Helper()
	op := n.plan()
	n.r.must(n.send(op))
	return op
}

func (n *runner) tick() {
	n.r.t.Helper()
	n.r.must(n.Tick(context.Background()))
}

// frozen are the freezes that the journal holds.
func (n *runner) frozen() []journal.Freeze {
	n.r.t.Helper()
	st, err := n.books.Stand(context.Background(), journal.Presence{})
	n.r.must(err)
	return st.Frozen
}

// free fails unless the runner may send.
func (n *runner) free() {
	n.r.t.Helper()
	if why := n.Frozen(); why != "" {
		n.r.t.Errorf("%s is held: %s", n.Name, why)
	}
}

// held fails unless the runner is kept from sending for a reason.
func (n *runner) held(reason string) {
	n.r.t.Helper()
	if why := n.Frozen(); !strings.Contains(why, reason) {
		n.r.t.Errorf("%s is held for %q, want %q", n.Name, why, reason)
	}
	if _, err := n.Enter(); err == nil {
		n.r.t.Errorf("%s may begin a send", n.Name)
	}
}

// between does something after the journal told how it stands, and before the
// guard hears of it: as a process does that is slow to wake.
type between struct {
	*journal.Journal
	do func()
}

func (b *between) Stand(ctx context.Context, p journal.Presence) (journal.Standing, error) {
	st, err := b.Journal.Stand(ctx, p)
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return st, err
}

func TestASendThatOvertakesTheAnswerOfAComparisonIsNoLoss(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	var b *between
	n := r.in(t.TempDir(), "a", func(j *journal.Journal) sendlog.Journal {
		b = &between{Journal: j}
		return b
	})
	n.sends()
	late := n.plan()
	b.do = func() { r.must(n.send(late)) }
	n.tick()
	n.free()
	if f := n.frozen(); len(f) != 0 {
		t.Errorf("the journal is frozen: %+v", f)
	}
}

func TestComparisonsAmongManySendsFindNoLoss(t *testing.T) {
	t.Parallel()
	r := newRedis(t)
	n := r.in(t.TempDir(), "a", nil)
	done := make(chan struct{})
	var senders, ticks sync.WaitGroup
	ticks.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				n.tick()
			}
		}
	})
	for range 8 {
		senders.Go(func() {
			for range 25 {
				n.sends()
			}
		})
	}
	senders.Wait()
	close(done)
	ticks.Wait()
	n.free()
}
