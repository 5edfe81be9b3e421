package sandbox

import (
	"net/http"
	"sync"
	"time"
)

// Request is one API request as the log has it.
type Request struct {
	Number uint64    `json:"number"`
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Route  string    `json:"route"`
	// Marker is the last step that a create was sent with.
	Marker string `json:"marker,omitempty"`
	// Fault is the fault that befell it, if any.
	Fault Kind `json:"fault,omitempty"`
	// Status is what was answered; 0 means no answer, or none yet.
	Status int `json:"status"`
}

// Traffic is what arrived at the API and what was answered.
type Traffic struct {
	// Received counts requests by route.
	Received map[string]uint64 `json:"received"`
	// Answered counts them by route and status; 0 is a request that ended
	// without an answer.
	Answered map[string]map[int]uint64 `json:"answered"`
	// Faults counts them by kind.
	Faults map[Kind]uint64 `json:"faults"`
	// Requests are the latest, oldest first.
	Requests  []Request     `json:"requests"`
	Callbacks CallbackStats `json:"callbacks"`
}

// traffic keeps the counters and a ring of the latest requests.
type traffic struct {
	mu       sync.Mutex
	ring     []Request
	next     int
	received map[string]uint64
	answered map[string]map[int]uint64
	faults   map[Kind]uint64
}

func newTraffic(size int) *traffic {
	return &traffic{
		ring:     make([]Request, 0, size),
		received: map[string]uint64{},
		answered: map[string]map[int]uint64{},
		faults:   map[Kind]uint64{},
	}
}

func (t *traffic) begin(c *call, r *http.Request, at time.Time) {
	entry := Request{
		Number: c.number, At: at, Method: r.Method, Path: r.URL.Path,
		Route: c.route.name, Fault: c.fault.Kind,
	}
	if entry.Route == "create" {
		entry.Marker = c.in.lastStep()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.received[entry.Route]++
	if entry.Fault != "" {
		t.faults[entry.Fault]++
	}
	if len(t.ring) < cap(t.ring) {
		t.ring = append(t.ring, entry)
		return
	}
	t.ring[t.next] = entry
	t.next = (t.next + 1) % len(t.ring)
}

// end notes an answer. Its request stands among the last few of the ring.
func (t *traffic) end(c *call, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := t.answered[c.route.name]
	if counts == nil {
		counts = map[int]uint64{}
		t.answered[c.route.name] = counts
	}
	counts[status]++
	for i := range t.ring {
		at := (t.next + 2*len(t.ring) - 1 - i) % len(t.ring)
		if t.ring[at].Number == c.number {
			t.ring[at].Status = status
			return
		}
	}
}

func (t *traffic) read() Traffic {
	t.mu.Lock()
	defer t.mu.Unlock()
	copied := Traffic{
		Received: make(map[string]uint64, len(t.received)),
		Answered: make(map[string]map[int]uint64, len(t.answered)),
		Faults:   make(map[Kind]uint64, len(t.faults)),
		Requests: append(append([]Request{}, t.ring[t.next:]...), t.ring[:t.next]...),
	}
	for route, n := range t.received {
		copied.Received[route] = n
	}
	for kind, n := range t.faults {
		copied.Faults[kind] = n
	}
	for route, counts := range t.answered {
		byStatus := make(map[int]uint64, len(counts))
		for status, n := range counts {
			byStatus[status] = n
		}
		copied.Answered[route] = byStatus
	}
	return copied
}
