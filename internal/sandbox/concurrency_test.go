package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

func TestManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	var clock manualClock
	r := setup(t, sandbox.Config{Now: clock.now})
	const callers, rounds = 8, 20
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for round := range rounds {
				clock.advance(time.Minute)
				send(r.Sandbox, "/jobs/create", strings.Replace(sampleCreate, "Then do this", fmt.Sprintf("ref:%d-%d", caller, round), 1))
				send(r.Sandbox, fmt.Sprintf("/job/%d/add_seat", 15341+round), `{"seat_count": 1}`)
				send(r.Sandbox, fmt.Sprintf("/application/%d/set", 501000+round), `{"status": 5, "reason": "again"}`)
				send(r.Sandbox, fmt.Sprintf("/job/%d/pause", 15341+round), "")
				_ = r.EditJob(15341, func(j *sandbox.Job) { j.Expected[0] = "edited" })
				r.call("GET", "/jobs/all/1", "")
				r.Books()
				r.Traffic()
			}
		})
	}
	all.Wait()
	b := r.balanced()
	if len(b.Creates) != callers*rounds {
		t.Errorf("%d different jobs were made, want %d", len(b.Creates), callers*rounds)
	}
	for marker, n := range b.Creates {
		if n != 1 {
			t.Errorf("%s was made %d times", marker, n)
		}
	}
}

func TestRunLetsTimePassUnasked(t *testing.T) {
	t.Parallel()
	bodies := make(chan string, 1000)
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		bodies <- readAll(req)
	}))
	t.Cleanup(listener.Close)
	var clock manualClock
	r := setup(t, sandbox.Config{Now: clock.now, CallbackURL: listener.URL})
	r.job(sandbox.Job{Seats: 1})
	clock.advance(60 * 24 * time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx, time.Millisecond) })
	if got := <-bodies; !strings.Contains(got, "event=new-application") {
		t.Errorf("the first callback is %s", got)
	}
	stop()
	running.Wait()
}

func TestScaledClock(t *testing.T) {
	t.Parallel()
	if got := sandbox.ScaledClock(epoch, 0)(); !got.Equal(epoch) {
		t.Errorf("a clock that stands still shows %s", got)
	}
	fast := sandbox.ScaledClock(epoch, 1e6)
	if first, second := fast(), fast(); first.Before(epoch) || !second.After(first) {
		t.Errorf("a fast clock shows %s, then %s", first, second)
	}
}

func TestPeopleActOnTheWebsite(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Crowd: sandbox.Crowd{Off: true}})
	id := r.job(sandbox.Job{Seats: 2})
	app, err := r.AddApplication(id, sandbox.Handed{Text: "first"})
	r.must(err)
	if err := r.HandInAgain(app, sandbox.Handed{}); err == nil {
		t.Error("a pending application was handed in again")
	}
	r.must(r.RateApplication(app, sandbox.AppNotCompleted, "more"))
	r.must(r.HandInAgain(app, sandbox.Handed{Text: "second"}))
	got, found := r.Application(app)
	if !found || got.Status != sandbox.AppPending || got.Given.Text != "second" || got.Try != 1 {
		t.Errorf("the application is %+v", got)
	}
	r.must(r.FinishJob(id))
	r.must(r.BuySeats(id, 4))
	if j, _ := r.Job(id); j.Status != sandbox.JobOnline || j.Seats != 5 {
		t.Errorf("the job is %+v, want it online with 5 seats", j)
	}
	if err := r.RateApplication(app, 6, ""); err == nil {
		t.Error("an application was given an unknown status")
	}
	r.must(r.DeleteJob(id))
	for _, path := range []string{"/job/15341", "/application/501000", "/job/15341/applications/all/1"} {
		if got := r.call("GET", path, ""); got.status != 404 {
			t.Errorf("%s of a deleted job: status %d", path, got.status)
		}
	}
	if got := r.get("/jobs/all/1"); got != "[]" {
		t.Errorf("the list still shows %s", got)
	}
	r.balanced()
}
