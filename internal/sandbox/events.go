package sandbox

import (
	"container/heap"
	"time"
)

// event is something that the marketplace will do at a time of its own.
type event struct {
	at time.Time
	// seq keeps events of one instant in the order in which they were planned.
	seq uint64
	do  func()
}

// agenda holds the events to come, soonest first.
type agenda struct {
	events eventHeap
	seq    uint64
}

func (a *agenda) plan(at time.Time, do func()) {
	a.seq++
	heap.Push(&a.events, event{at, a.seq, do})
}

// next takes out the soonest event that is due by now.
func (a *agenda) next(now time.Time) (event, bool) {
	if len(a.events) == 0 || a.events[0].at.After(now) {
		return event{}, false
	}
	soonest, ok := heap.Pop(&a.events).(event)
	return soonest, ok
}

type eventHeap []event

func (h eventHeap) Len() int      { return len(h) }
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *eventHeap) Push(v any) {
	if e, ok := v.(event); ok {
		*h = append(*h, e)
	}
}

func (h eventHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].seq < h[j].seq
	}
	return h[i].at.Before(h[j].at)
}

func (h *eventHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = event{}
	*h = (*h)[:last]
	return e
}
