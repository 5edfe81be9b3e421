package sendlog_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// TestConnectionsThatBreakFreezeNothing has many sends, alone and in pages,
// through a redis-server that stalls and drops its connections: answers are lost
// and asked for again, and pipelines end out of order. None of it is a loss.
func TestConnectionsThatBreakFreezeNothing(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	r := &redis{t: t, now: epoch}
	var guard *sendlog.Guard
	var mu sync.Mutex
	client, err := embedded.Connect(server.URL(), embedded.Options{Once: true, OnConnect: func(info string) {
		mu.Lock()
		defer mu.Unlock()
		if guard != nil {
			guard.Connected(journal.IncarnationOf(info))
		}
	}})
	r.must(err)
	t.Cleanup(func() { _ = client.Close() })
	books, err := journal.Open(client)
	r.must(err)
	dir := t.TempDir()
	g, err := sendlog.Start(t.Context(), sendlog.Config{
		Disk: sendlog.OS(dir), Journal: books, Address: "redis", Name: "a", Incarnation: books.Incarnation,
		Now: r.clock, Draw: r.draw, Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	mu.Lock()
	guard = g
	mu.Unlock()
	n := &runner{Guard: g, r: r, books: books, dir: dir}

	done := make(chan struct{})
	var around, senders sync.WaitGroup
	repeat := func(do func()) {
		around.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					do()
				}
			}
		})
	}
	breaker, err := embedded.Connect(server.URL(), embedded.Options{})
	r.must(err)
	t.Cleanup(func() { _ = breaker.Close() })
	repeat(func() { _ = g.Tick(context.Background()) }) // connections break under it too
	repeat(func() {
		ctx := context.Background()
		breaker.Do(ctx, "client", "pause", "5", "all")
		breaker.Do(ctx, "client", "kill", "type", "normal", "skipme", "yes")
		select {
		case <-done:
		case <-time.After(10 * time.Millisecond):
		}
	})
	made := 0
	for range 6 {
		senders.Go(func() {
			for range 40 {
				if n.tried() {
					mu.Lock()
					made++
					mu.Unlock()
				}
			}
		})
	}
	senders.Wait()
	close(done)
	around.Wait()
	for range 3 { // the pool may hold connections that are gone
		_ = g.Tick(context.Background())
	}
	n.free()
	if f := n.frozen(); len(f) != 0 {
		t.Errorf("frozen: %+v", f)
	}
	if made == 0 {
		t.Error("no send was made")
	}
	n.sends()
}

// tried makes a page of two ratings and a send alone, as far as the connection
// lets it, and tells whether any was made.
func (n *runner) tried() bool {
	ctx := context.Background()
	pass, err := n.Enter()
	if err != nil {
		return false
	}
	var ops []planner.Operation
	for range 3 {
		n.r.mu.Lock()
		n.r.items++
		id := int64(n.r.items)
		n.r.mu.Unlock()
		ops = append(ops, planner.OnApplication("c", "rate", "a", 9, planner.Rating{ApplicationID: id, Verdict: campaigns.Approve, Proof: "0000"}, epoch))
	}
	if _, err := n.books.Create(ctx, epoch, nil, journal.Queue(ops)); err != nil {
		return false
	}
	starts := make([]journal.Start, len(ops))
	for i, op := range ops {
		starts[i] = journal.Start{Op: &journal.Op{Operation: op}, Nonce: n.r.draw(), Now: epoch, Deadline: epoch.Add(time.Minute)}
	}
	alone, err := n.books.Begin(ctx, starts[2])
	page, perr := n.books.BeginPage(ctx, epoch, epoch.Add(time.Minute), starts[:2])
	made := false
	for i, p := range append(page, alone) {
		if err != nil || perr != nil || p.Gate != journal.Through {
			continue
		}
		made = n.Record(ctx, pass, sendlog.Send{Seq: p.Seq, At: epoch, Op: ops[i], Attempt: p.Attempt, Nonce: starts[i].Nonce}) == nil || made
	}
	return made
}
