package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// notice is one callback.
type notice struct {
	to           string
	event        string
	jobID, appID int64
}

// tell hands a notice over, if anybody listens.
func (m *market) tell(n notice) {
	if m.callbackURL == "" {
		return
	}
	n.to = m.callbackURL
	m.notify(n)
}

// CallbackStats count what became of the callbacks.
type CallbackStats struct {
	// Delivered were answered with a 2xx, Failed were not, and Dropped found
	// the outbox full.
	Delivered int64 `json:"delivered"`
	Failed    int64 `json:"failed"`
	Dropped   int64 `json:"dropped"`
}

// postman delivers callbacks one after another and once each, best effort, as
// a marketplace does: what is lost is lost.
type postman struct {
	asJSON  bool
	client  *http.Client
	outbox  chan notice
	ctx     context.Context
	stop    context.CancelFunc
	start   sync.Once
	running sync.WaitGroup

	delivered, failed, dropped atomic.Int64
}

func newPostman(asJSON bool) *postman {
	ctx, stop := context.WithCancel(context.Background())
	return &postman{
		asJSON: asJSON,
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}},
		outbox: make(chan notice, 10_000),
		ctx:    ctx,
		stop:   stop,
	}
}

// send never blocks. The goroutine that delivers starts with the first notice.
func (p *postman) send(n notice) {
	p.start.Do(func() { p.running.Go(p.run) })
	select {
	case p.outbox <- n:
	default:
		p.dropped.Add(1)
	}
}

func (p *postman) run() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case n := <-p.outbox:
			p.deliver(n)
		}
	}
}

func (p *postman) deliver(n notice) {
	kind, body := n.form()
	if p.asJSON {
		kind, body = "application/json", n.json()
	}
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, n.to, bytes.NewReader(body))
	if err != nil {
		p.failed.Add(1)
		return
	}
	req.Header.Set("Content-Type", kind)
	resp, err := p.client.Do(req)
	if err != nil {
		p.failed.Add(1)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		p.failed.Add(1)
		return
	}
	p.delivered.Add(1)
}

func (n notice) form() (kind string, body []byte) {
	v := url.Values{"job_id": {strconv.FormatInt(n.jobID, 10)}, "event": {n.event}}
	if n.appID != 0 {
		v.Set("application_id", strconv.FormatInt(n.appID, 10))
	}
	return "application/x-www-form-urlencoded", []byte(v.Encode())
}

func (n notice) json() []byte {
	v := map[string]any{"job_id": n.jobID, "event": n.event}
	if n.appID != 0 {
		v["application_id"] = n.appID
	}
	body, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return body
}

func (p *postman) stats() CallbackStats {
	return CallbackStats{p.delivered.Load(), p.failed.Load(), p.dropped.Load()}
}

// close ends the delivery and waits for it.
func (p *postman) close() {
	p.stop()
	p.start.Do(func() {})
	p.running.Wait()
	p.client.CloseIdleConnections()
}
