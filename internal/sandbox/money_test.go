package sandbox_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

func TestCostsOfTheSamples(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Crowd: sandbox.Crowd{Off: true}})
	id := r.job(sandbox.Job{Price: money.MustParse("0.2"), Seats: 24})
	path := fmt.Sprintf("/job/%d", id)

	quoted := r.post("/jobs/create", strings.Replace(sampleCreate, `"send_tweet"`, `"get_cost": 1, "send_tweet"`, 1))
	if diff := cmp.Diff(`{"result":"ok","cost":4.875}`, quoted); diff != "" {
		t.Errorf("quote (-want +got):\n%s", diff)
	}
	created := r.post("/jobs/create", sampleCreate)
	if diff := cmp.Diff(`{"result":"ok","cost":4.875,"job_id":15342}`, created); diff != "" {
		t.Errorf("create (-want +got):\n%s", diff)
	}
	added := r.post(path+"/add_seat", `{"seat_count": 10}`)
	if diff := cmp.Diff(`{"result":"ok","cost":2.35,"job_id":15341}`, added); diff != "" {
		t.Errorf("add_seat (-want +got):\n%s", diff)
	}
	r.post(path+"/pause", "")
	resumed := r.post(path+"/resume", `{"seat_count": "10", "send_tweet": "1", "hide_search_engines": "1"}`)
	if diff := cmp.Diff(`{"result":"ok","cost":2.85,"job_id":15341}`, resumed); diff != "" {
		t.Errorf("resume (-want +got):\n%s", diff)
	}
	r.balanced()
}

func TestPauseRefundsUnfilledSeats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		keepFees bool
		refund   string
	}{
		"with their fees":    {false, "1.645"}, // 7 x (1.125 x 0.20 + 0.01)
		"without their fees": {true, "1.4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{KeepFees: c.keepFees, Crowd: sandbox.Crowd{Off: true}})
			id := r.job(sandbox.Job{Price: money.MustParse("0.2"), Seats: 10, Tweet: true})
			_, err := r.AddApplications(id, 3)
			r.must(err)
			for range 2 { // The second pause finds the job finished.
				got := r.post(fmt.Sprintf("/job/%d/pause", id), "")
				if diff := cmp.Diff(`{"result":"ok","job_id":15341}`, got); diff != "" {
					t.Errorf("pause (-want +got):\n%s", diff)
				}
			}
			b := r.balanced()
			if b.Refunded != money.MustParse(c.refund) {
				t.Errorf("%s was refunded, want %s", b.Refunded, c.refund)
			}
			if got := b.Jobs[0]; got.Bought != 10 || got.Returned != 7 || got.Filled != 3 || got.Count("pause") != 2 {
				t.Errorf("the job's books are wrong: %+v", got)
			}
		})
	}
}

func TestSeatsOfAPausedJob(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		habits          sandbox.Habits
		paused, resumed string
	}{
		"total":           {sandbox.Habits{}, `"availseats":3,`, `"availseats":8,`},
		"total, kept":     {sandbox.Habits{SeatsKept: true}, `"availseats":10,`, `"availseats":8,`},
		"remaining":       {sandbox.Habits{Seats: sandbox.SeatsRemaining}, `"availseats":0,`, `"availseats":5,`},
		"remaining, kept": {sandbox.Habits{Seats: sandbox.SeatsRemaining, SeatsKept: true}, `"availseats":7,`, `"availseats":5,`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{Habits: c.habits, Crowd: sandbox.Crowd{Off: true}})
			id := r.job(sandbox.Job{Seats: 10})
			_, err := r.AddApplications(id, 3)
			r.must(err)
			path := fmt.Sprintf("/job/%d", id)
			r.post(path+"/pause", "")
			if got := r.get(path); !strings.Contains(got, c.paused) {
				t.Errorf("paused: want %s in %s", c.paused, got)
			}
			r.post(path+"/resume", `{"seat_count": 5}`)
			if got := r.get(path); !strings.Contains(got, c.resumed) {
				t.Errorf("resumed: want %s in %s", c.resumed, got)
			}
		})
	}
}

func TestAFullJobFinishesByItself(t *testing.T) {
	t.Parallel()
	r := setup(t, sandbox.Config{Crowd: sandbox.Crowd{Off: true}})
	id := r.job(sandbox.Job{Seats: 3})
	_, err := r.AddApplications(id, 3)
	r.must(err)
	if j, _ := r.Job(id); j.Status != sandbox.JobFinished {
		t.Errorf("the full job has status %d, want 3", j.Status)
	}
	if b := r.balanced(); b.Refunded != 0 || b.Jobs[0].Count("filled") != 1 {
		t.Errorf("the books of a filled job are wrong: %+v", b.Jobs[0])
	}
	if _, err := r.AddApplications(id, 1); err == nil {
		t.Error("a finished job took an application")
	}
}

// TestNoSequenceUnbalancesTheBooks draws requests, faults, people and workers.
func TestNoSequenceUnbalancesTheBooks(t *testing.T) {
	t.Parallel()
	plan, err := sandbox.ParseFaults("*:drop_after=0.1,*:500_after=0.1,*:late(1h)=0.1,quote:ignore_get_cost=0.2")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var clock manualClock
		r := sandbox.New(sandbox.Config{
			Now: clock.now, Seed: rapid.Uint64().Draw(rt, "seed"), Balance: 40 * money.Dollar, Faults: plan,
			KeepFees: rapid.Bool().Draw(rt, "keep fees"), DeclineFreesSeat: rapid.Bool().Draw(rt, "decline frees"),
			Moderation: time.Duration(rapid.IntRange(0, 2).Draw(rt, "moderation")) * time.Hour,
		})
		defer r.Close()
		id := rapid.Int64Range(15341, 15346)
		n := rapid.IntRange(1, 60)
		rt.Repeat(map[string]func(*rapid.T){
			"create": func(rt *rapid.T) {
				send(r, "/jobs/create", fmt.Sprintf(`{"title": "t", "price": %d.%06d, "availseats": %d,
					"country": "INT", "category": 201, "time": 1, "expected": ["x"], "get_cost": %d,
					"proof": [{"desc": "d", "type": "text"}], "send_tweet": %d}`,
					rapid.IntRange(0, 1).Draw(rt, "dollars"), rapid.IntRange(20_000, 999_999).Draw(rt, "micros"),
					n.Draw(rt, "seats"), rapid.IntRange(0, 1).Draw(rt, "quote"), rapid.IntRange(0, 1).Draw(rt, "tweet")))
			},
			"add": func(rt *rapid.T) {
				send(r, fmt.Sprintf("/job/%d/add_seat", id.Draw(rt, "job")), fmt.Sprintf(`{"seat_count": %d}`, n.Draw(rt, "seats")))
			},
			"pause": func(rt *rapid.T) { send(r, fmt.Sprintf("/job/%d/pause", id.Draw(rt, "job")), "") },
			"resume": func(rt *rapid.T) {
				send(r, fmt.Sprintf("/job/%d/resume", id.Draw(rt, "job")), fmt.Sprintf(`{"seat_count": %d}`, n.Draw(rt, "seats")))
			},
			"decline": func(rt *rapid.T) {
				send(r, fmt.Sprintf("/application/%d/set", 501000+n.Draw(rt, "app")), `{"status": 1, "reason": "no"}`)
			},
			"hours pass": func(rt *rapid.T) { clock.advance(time.Duration(n.Draw(rt, "hours")) * time.Hour) },
			"website": func(rt *rapid.T) {
				// That a job is not there is fine.
				_ = r.BuySeats(id.Draw(rt, "job"), int64(n.Draw(rt, "seats")))
				_ = r.FinishJob(id.Draw(rt, "job"))
				r.Deposit(cents(int64(n.Draw(rt, "cents")) - 30))
			},
			"": func(rt *rapid.T) { checkBooks(rt, r.Books()) },
		})
	})
}

// send posts without a connection, so that a dropped answer is an error page.
func send(box *sandbox.Sandbox, path, body string) {
	req := httptest.NewRequest("POST", sandbox.BasePath+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer key")
	box.ServeHTTP(httptest.NewRecorder(), req)
}

func cents(n int64) money.USD { return money.Dollar / 100 * money.USD(n) }

// checkBooks holds the law of the account and of each job.
func checkBooks(rt *rapid.T, b sandbox.Books) {
	if b.Charged-b.Refunded != b.Start+b.Deposited-b.Balance || b.Balance < 0 {
		rt.Fatalf("the books do not balance: %+v", b)
	}
	var charged, refunded money.USD
	for _, j := range b.Jobs {
		charged += j.Charged
		refunded += j.Refunded
		if j.Refunded > j.Charged || j.Filled > j.Bought-j.Returned {
			rt.Fatalf("job %d gave back more than it took: %+v", j.JobID, j)
		}
	}
	if charged != b.Charged || refunded != b.Refunded {
		rt.Fatalf("the jobs' books hold %s and %s, the account's %s and %s", charged, refunded, b.Charged, b.Refunded)
	}
}

// script runs a fixed sequence of requests and returns the books as text.
func script(t *testing.T, seed uint64) string {
	var clock manualClock
	plan, err := sandbox.ParseFaults("*:500_after=0.2,add_seats:late(3h)=0.3")
	if err != nil {
		t.Fatal(err)
	}
	r := setup(t, sandbox.Config{Seed: seed, Now: clock.now, Faults: plan})
	steps := rand.New(rand.NewPCG(7, 7))
	for range 120 {
		id := 15341 + steps.IntN(8)
		switch steps.IntN(5) {
		case 0:
			r.call("POST", "/jobs/create", sampleCreate)
		case 1:
			r.call("POST", fmt.Sprintf("/job/%d/add_seat", id), `{"seat_count": 3}`)
		case 2:
			r.call("POST", fmt.Sprintf("/job/%d/pause", id), "")
		case 3:
			r.call("POST", fmt.Sprintf("/application/%d/set", 501000+steps.IntN(100)), `{"status": 5, "reason": "again"}`)
		case 4:
			clock.advance(time.Duration(steps.IntN(90)) * time.Minute)
		}
	}
	r.SetFaults(nil)
	return r.get("/job/15341/applications/all/1") + r.call("GET", "/sandbox/books", "").body
}

func TestTheSeedDecidesEverything(t *testing.T) {
	t.Parallel()
	first := script(t, 1)
	if diff := cmp.Diff(first, script(t, 1)); diff != "" {
		t.Errorf("the same seed gave other books (-first +second):\n%s", diff)
	}
	if first == script(t, 2) {
		t.Error("another seed gave the same books")
	}
}
