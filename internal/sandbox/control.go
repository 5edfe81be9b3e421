package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// order is what a POST to the testing surface says.
type order struct {
	JobID  int64     `json:"job_id"`
	Count  int64     `json:"count"`
	By     string    `json:"by"`
	URL    string    `json:"url"`
	Amount money.USD `json:"amount"`
}

// newControl serves the testing surface to callers on this machine.
func (s *Sandbox) newControl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sandbox/books", func(w http.ResponseWriter, _ *http.Request) {
		report(w, http.StatusOK, s.Books())
	})
	mux.HandleFunc("GET /sandbox/requests", func(w http.ResponseWriter, _ *http.Request) {
		report(w, http.StatusOK, s.Traffic())
	})
	mux.HandleFunc("POST /sandbox/faults", obey(s.orderFaults))
	mux.HandleFunc("POST /sandbox/jobs", obey(s.orderJob))
	mux.HandleFunc("POST /sandbox/edit", obey(s.orderEdit))
	for name, do := range map[string]func(order) (any, error){
		"advance":      s.orderAdvance,
		"applications": s.orderApplications,
		"callback":     func(o order) (any, error) { s.SetCallback(o.URL); return o.URL, nil },
		"seats":        func(o order) (any, error) { return o.Count, s.BuySeats(o.JobID, o.Count) },
		"finish":       func(o order) (any, error) { return o.JobID, s.FinishJob(o.JobID) },
		"delete":       func(o order) (any, error) { return o.JobID, s.DeleteJob(o.JobID) },
		"deposit":      func(o order) (any, error) { s.Deposit(o.Amount); return o.Amount, nil },
	} {
		mux.HandleFunc("POST /sandbox/"+name, obey(func(body []byte) (any, error) {
			var o order
			if err := json.Unmarshal(body, &o); err != nil {
				return nil, err
			}
			return do(o)
		}))
	}
	return localOnly(http.NewCrossOriginProtection().Handler(mux))
}

func (s *Sandbox) orderFaults(body []byte) (any, error) {
	plan, err := ParseFaults(string(body))
	if err != nil {
		return nil, err
	}
	s.SetFaults(plan)
	return len(plan), nil
}

func (s *Sandbox) orderJob(body []byte) (any, error) {
	var wanted Job
	if err := json.Unmarshal(body, &wanted); err != nil {
		return nil, err
	}
	return s.AddJob(wanted)
}

// orderEdit lays the fields of the body over the job's.
func (s *Sandbox) orderEdit(body []byte) (any, error) {
	var o order
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, err
	}
	facts, found := s.Job(o.JobID)
	if !found {
		return nil, fmt.Errorf("there is no job %d", o.JobID)
	}
	if err := json.Unmarshal(body, &facts); err != nil {
		return nil, err
	}
	return o.JobID, s.EditJob(o.JobID, func(j *Job) {
		// The body is read again over the present facts, since workers may
		// have come meanwhile; it was found to be in order above.
		_ = json.Unmarshal(body, j)
	})
}

func (s *Sandbox) orderAdvance(o order) (any, error) {
	d, err := time.ParseDuration(o.By)
	if err != nil || d < 0 {
		return nil, fmt.Errorf("by is %q; give a duration such as 36h", o.By)
	}
	s.Advance(d)
	return s.clock.read(), nil
}

func (s *Sandbox) orderApplications(o order) (any, error) {
	return s.AddApplications(o.JobID, int(o.Count))
}

// obey answers what an order did, or 422 and why it did nothing.
func obey(do func(body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		did, err := do(body)
		if err != nil {
			report(w, http.StatusUnprocessableEntity, map[string]string{"error": err.Error()})
			return
		}
		report(w, http.StatusOK, map[string]any{"ok": did})
	}
}

func report(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The only error is a client that has gone.
	_ = json.NewEncoder(w).Encode(v)
}

// localOnly refuses callers from elsewhere, and pages of other sites that a
// browser was led to open under this address.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.RemoteAddr) || !loopback(r.Host) {
			http.Error(w, "the testing surface answers on loopback only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback tells whether a host, with or without a port, is this machine.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (s *Sandbox) index(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Marketplace sandbox</title></head><body>
<h1>Marketplace sandbox</h1>
<p>A simulation of the marketplace: no money moves and no person works here.</p>
<p>API: <code>`+BasePath+`</code> with any bearer token, unless a key was set.</p>
<p>What really happened: <a href="/sandbox/books">books</a>,
<a href="/sandbox/requests">requests</a>.</p>
</body></html>
`)
}
