package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// ratingsSpec writes a load of ratings, which travel in pages: few jobs, many
// applications, two verdicts. It has no end, so that whoever applies last is
// rated too.
func (w *world) ratingsSpec() string {
	text := fmt.Sprintf(`version: 1
name: chaos
timezone: UTC
budget: {cap: 150}
defaults:
  job: {countries: INT, category: surveys/labelling, minutes: 5, steps: ["Look at the photo."], proof: [{text: "What you saw"}]}
campaigns:
  - name: mass
    items: {list: [%s]}
    job: {title: "Crowd {{ .item }}", price: 0.02, seats: %d}
    budget: {cap: 140}
    actions:
      - {do: create, now: true}
      - do: rate
        every: 2s
        rules:
          - {when: "worker %% 3 == 0", verdict: decline, reason: "It can't be read."}
          - {when: "true", verdict: approve}
`, items("m", w.s.items), createdSeats["mass"])
	path := filepath.Join(w.t.TempDir(), "ratings.yaml")
	must(w.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// crowding has a handful of workers apply to every job, over and over. It ends
// early, so that most of them are rated while calls still fail.
func crowding(ctx context.Context, w *world) {
	end, _ := ctx.Deadline()
	half, cancel := context.WithTimeout(ctx, time.Until(end)/2)
	defer cancel()
	every(half, time.Second, func() {
		jobs, err := w.journal.Jobs(half, "mass")
		if err != nil {
			return // the Redis is down for a moment
		}
		for _, job := range jobs {
			// A job whose create was told late, or that is full, lets nobody in.
			if w.order("/sandbox/applications", fmt.Sprintf(`{"job_id":%d,"count":15}`, job.ID)) == nil {
				w.count("applications", 15)
			}
		}
	})
}

// pending counts the applications that nobody has rated.
func (w *world) pending() (n int) {
	key, err := api.NewKey("chaos")
	must(w.t, err)
	client, err := api.New(api.Config{BaseURL: w.control + sandbox.BasePath, Key: key, Now: time.Now, Timeout: patience})
	must(w.t, err)
	defer client.Close()
	jobs, err := w.journal.Jobs(w.t.Context(), "mass")
	must(w.t, err)
	for _, job := range jobs {
		for _, err := range client.AllApplications(w.t.Context(), job.ID, api.Pending) {
			must(w.t, err)
			n++
		}
	}
	return n
}

// rateAll waits until every application is rated.
func (w *world) rateAll() {
	w.t.Helper()
	w.await("every application to be rated", func() bool {
		w.quiesce()
		parked, err := w.journal.Ops(w.t.Context(), journal.Filter{State: "parked"})
		must(w.t, err)
		return w.pending() <= len(parked)
	})
}

// judgeRatings demands that no application was given two verdicts.
func (w *world) judgeRatings(books sandbox.Books) {
	given := map[int64]sandbox.AppStatus{}
	for _, job := range books.Jobs {
		for _, e := range job.Effects {
			if e.Kind != "rate" {
				continue
			}
			if was, twice := given[e.ApplicationID]; twice {
				w.count("ratings repeated", 1)
				if was != e.Status && was != sandbox.AppNotCompleted {
					w.fail("application %d was rated %d and then %d", e.ApplicationID, was, e.Status)
				}
			}
			given[e.ApplicationID] = e.Status
		}
	}
	w.count("applications rated", len(given))
}

// auditing has a person run the audit over and over.
func auditing(d time.Duration) disturbance {
	return func(ctx context.Context, w *world) {
		every(ctx, d, func() {
			if out, _, code := w.enqueue("audit", "-o", "json"); code == 0 || code == 4 {
				w.count("audits", 1)
				w.countMended(out)
			}
		})
	}
}

// countMended counts the creates that an audit gave their own jobs.
func (w *world) countMended(out string) {
	var found struct {
		Misplaced []struct {
			Mended bool `json:"mended"`
		} `json:"misplaced"`
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		w.fail("audit -o json: %v", err)
	}
	for _, m := range found.Misplaced {
		if m.Mended {
			w.count("creates given their own job", 1)
		}
	}
}

// mend audits until nothing is left to put right.
func (w *world) mend() {
	w.t.Helper()
	w.await("an audit that finds nothing", func() bool {
		out, _, code := w.enqueue("audit", "-o", "json")
		if code == 4 {
			w.countMended(out)
		}
		return code == 0
	})
	w.quiesce()
}
