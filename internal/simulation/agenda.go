package simulation

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// entry is an operation or a rating run in line.
type entry struct {
	due time.Time
	// rank puts queues in order.
	rank int
	// id is the operation's, or the name of the rating run.
	id     string
	review *journal.Review
}

// ranks are the queues in the order in which they are served.
var ranks = map[planner.Queue]int{
	planner.QueueControl: 0, planner.QueueMoney: 1, planner.QueueRate: 2, planner.QueueWatch: 3,
}

// agenda stands for the queues: what is due first comes first, and among what is
// due at once pauses do, then names in their order. The scheduler plans campaigns
// abreast, so who came first is not the same each time.
type agenda struct {
	mu      sync.Mutex
	waiting byDue
	ready   byRank
}

// Enqueue puts operations in line, each when it is due.
func (a *agenda) Enqueue(_ context.Context, next []executor.Next) error {
	for _, n := range next {
		a.push(entry{due: n.Due, rank: ranks[n.Queue], id: n.ID})
	}
	return nil
}

func (a *agenda) Operations(_ context.Context, ops []planner.Operation) error {
	for i := range ops {
		a.push(entry{rank: ranks[ops[i].Queue()], id: ops[i].ID})
	}
	return nil
}

// Review puts a rating run in line.
func (a *agenda) Review(_ context.Context, r journal.Review) error {
	name := r.Campaign + "/" + r.Action + "/" + r.Slot.Format(time.RFC3339Nano)
	a.push(entry{rank: ranks[planner.QueueWatch], id: name, review: &r})
	return nil
}

func (a *agenda) push(e entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	heap.Push(&a.waiting, e)
}

// due is when the first in line is due; false where nobody waits.
func (a *agenda) due() (time.Time, bool) {
	if a.ready.Len() > 0 {
		return a.ready.entries[0].due, true
	}
	if a.waiting.Len() > 0 {
		return a.waiting.entries[0].due, true
	}
	return time.Time{}, false
}

// take takes out the first of those that are due by now.
func (a *agenda) take(now time.Time) (entry, bool) {
	for a.waiting.Len() > 0 && !a.waiting.entries[0].due.After(now) {
		if e, ok := heap.Pop(&a.waiting).(entry); ok {
			heap.Push(&a.ready, e)
		}
	}
	if a.ready.Len() == 0 {
		return entry{}, false
	}
	e, ok := heap.Pop(&a.ready).(entry)
	return e, ok
}

// entries is what both heaps are made of.
type entries []entry

func (h entries) Len() int      { return len(h) }
func (h entries) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push adds an entry, for container/heap.
func (h *entries) Push(v any) {
	if e, ok := v.(entry); ok {
		*h = append(*h, e)
	}
}

// Pop takes the last entry off, for container/heap.
func (h *entries) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	*h = (*h)[:last]
	return e
}

// byDue is a heap of those that wait.
type byDue struct{ entries }

// Less tells which of two is due first.
func (h byDue) Less(i, j int) bool {
	a, b := h.entries[i], h.entries[j]
	if !a.due.Equal(b.due) {
		return a.due.Before(b.due)
	}
	return a.id < b.id
}

// byRank is a heap of those that are due.
type byRank struct{ entries }

// Less tells which of two is served first.
func (h byRank) Less(i, j int) bool {
	a, b := h.entries[i], h.entries[j]
	if a.rank != b.rank {
		return a.rank < b.rank
	}
	if !a.due.Equal(b.due) {
		return a.due.Before(b.due)
	}
	return a.id < b.id
}
