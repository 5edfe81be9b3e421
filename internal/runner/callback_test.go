package runner

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/console"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/settings"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

const secret = "9f2c81d0b7a64e53"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signs is a campaign that acts on events: it rates what comes in, and opens a
// job again that has ended.
func signs() *campaigns.Campaign {
	return &campaigns.Campaign{
		Name: "signs", Source: "test", Timezone: "UTC", Items: []campaigns.Item{{Key: "agra"}},
		Budget: &campaigns.Budget{Cap: 100 * money.Dollar, Per: campaigns.PerTotal, Measure: campaigns.MeasureCommitted, Resume: campaigns.ResumeManual},
		Actions: []campaigns.Action{
			{ID: "again", Do: campaigns.DoResume, On: campaigns.OnJobFinished, Seats: 3, Jobs: campaigns.JobsLatest, Timezone: "UTC"},
			{ID: "rate", Do: campaigns.DoRate, On: campaigns.OnNewApplication, Timezone: "UTC", MaxDecline: 100, Rules: []campaigns.Rule{{When: "true", Verdict: campaigns.Approve}}},
		},
	}
}

// adopted puts a job on the marketplace and into the books.
func adopted(t *testing.T, market *sandbox.Sandbox, books *journal.Journal, now time.Time, seats int64) int64 {
	t.Helper()
	id, err := market.AddJob(sandbox.Job{
		Title: "Signs", Price: 100_000, Seats: seats, Category: 13, Minutes: 5, Country: "INT",
		Expected: []string{"Type"}, Proof: []sandbox.Proof{{Desc: "Signs", Type: "text"}},
	})
	must(t, err)
	must(t, books.Adopt(t.Context(), now, journal.Job{
		ID: id, Campaign: "signs", Item: "agra", Status: journal.JobOnline, Seats: int(seats), Price: 100_000,
	}))
	return id
}

// TestManyReplaysOfACallbackCostFewReads sends 100,000 copies of one callback, and
// of forged ones, from many sources within 100 s. All are answered alike; the job
// is read once in 10 s, those of others never, and nothing is done.
func TestManyReplaysOfACallbackCostFewReads(t *testing.T) {
	t.Parallel()
	const seconds, each, sources = 100, 1000, 200
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	market := sandbox.New(sandbox.Config{Now: clock, Crowd: sandbox.Crowd{Off: true}})
	server := httptest.NewServer(market)
	defer server.Close()
	defer market.Close()
	key, err := api.NewKey("key")
	must(t, err)
	client, err := api.New(api.Config{BaseURL: server.URL + sandbox.BasePath, Key: key, Now: clock})
	must(t, err)
	defer client.Close()
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr(), MaxRetries: -1, DisableIdentity: true})
	defer func() { _ = rdb.Close() }()
	books, err := journal.Open(rdb)
	must(t, err)
	log := slog.New(slog.DiscardHandler)
	var did []string
	watch := watcher.New(watcher.Config{
		Journal: books, Market: client, Now: clock, Log: log,
		Plan: func(_ context.Context, ops []planner.Operation) ([]executor.Next, error) {
			did = append(did, fmt.Sprint(ops))
			return nil, nil
		},
		Enqueue: func(context.Context, []executor.Next) error { return nil },
		StartReview: func(_ context.Context, v journal.Review) error {
			did = append(did, fmt.Sprint(v))
			return nil
		},
	})
	must(t, books.Register(t.Context(), now, signs()))
	job := adopted(t, market, books, now, 5)
	stranger, err := market.AddJob(sandbox.Job{Title: "Of another", Price: 100_000, Seats: 5})
	must(t, err)
	r := &Runner{cfg: Config{Now: clock, Log: log, Scale: 1}, Journal: books}
	door := console.New(console.Config{
		Journal: books, Now: clock, Log: log, CallbackSecret: settings.NewSecret(secret), OnCallback: r.hint,
		Hosts: []string{"runner.test"},
	})
	forms := []string{
		fmt.Sprintf("event=job-finished&job_id=%d", job),
		fmt.Sprintf(`{"event":"new-application","job_id":"%d","application_id":1}`, job),
		fmt.Sprintf("event=job-finished&job_id=%d", stranger),
		"event=new-application&job_id=999999999",
	}
	for second := range seconds {
		now = now.Add(time.Second)
		for i := range each {
			path := "/callbacks/hiretalents/" + secret
			if i%5 == 4 {
				path += "x"
			}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(forms[i%len(forms)]))
			req.Host = "runner.test"
			req.RemoteAddr = fmt.Sprintf("203.0.113.%d:%d", i%sources, 1024+second)
			got := httptest.NewRecorder()
			door.ServeHTTP(got, req)
			if got.Code != http.StatusNoContent || got.Body.Len() != 0 {
				t.Fatalf("callback %d of second %d is answered %d %q", i, second, got.Code, got.Body)
			}
		}
		must(t, watch.Heed(t.Context()))
	}
	traffic := market.Traffic()
	reads := traffic.Received["job"]
	if most := uint64(seconds / 10); reads < most/2 || reads > most+1 {
		t.Errorf("%d callbacks cost %d reads of the job, want about %d", seconds*each, reads, most)
	}
	all := uint64(0)
	for route, n := range traffic.Received {
		if all += n; route != "job" {
			t.Errorf("%s was asked %d times", route, n)
		}
	}
	for _, asked := range traffic.Requests {
		if strings.HasSuffix(asked.Path, fmt.Sprint(stranger)) {
			t.Errorf("the job of another was read: %v", asked)
		}
	}
	own, err := books.Job(t.Context(), job)
	must(t, err)
	if len(did) != 0 || own.Status != journal.JobOnline {
		t.Errorf("callbacks without ground did %v; the job is %s", did, own.Status)
	}
	t.Logf("%d callbacks: %d requests to the marketplace", seconds*each, all)
}

// lines is a log that is read when a test has failed.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// patience bounds every wait; it only ends a test that has failed anyway.
const patience = 60 * time.Second

// listless is a marketplace whose list of jobs does not answer.
func listless(market http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, sandbox.BasePath+"/jobs/") {
			<-r.Context().Done()
			return
		}
		market.ServeHTTP(w, r)
	})
}

// TestCallbacksOfTheMarketplaceReachTheRunner runs a whole runner whose polls hang.
// What is done came of the marketplace's own callbacks, then: the answers are
// rated and the full job is opened again, once each.
func TestCallbacksOfTheMarketplaceReachTheRunner(t *testing.T) {
	t.Parallel()
	for _, asJSON := range []bool{false, true} {
		t.Run(fmt.Sprintf("as json %t", asJSON), func(t *testing.T) {
			t.Parallel()
			market := sandbox.New(sandbox.Config{Crowd: sandbox.Crowd{Off: true}, CallbackJSON: asJSON})
			server := httptest.NewServer(listless(market))
			defer server.Close()
			defer market.Close()
			log := &lines{}
			r, err := Start(t.Context(), Config{
				Settings: &settings.Settings{
					APIKey: settings.NewSecret("key"), APIURL: server.URL + sandbox.BasePath, DataDir: t.TempDir(), Listen: "127.0.0.1:0",
					CallbackSecret: settings.NewSecret(secret), Concurrency: 4, APITimeout: 2 * patience, SettleAfter: time.Second,
				},
				Log: slog.New(slog.NewTextHandler(log, nil)), Volatile: true,
			})
			must(t, err)
			defer func() { must(t, r.Close()) }()
			must(t, r.Journal.Register(t.Context(), time.Now(), signs()))
			job := adopted(t, market, r.Journal, time.Now(), 2)
			market.SetCallback("http://" + r.Addr() + "/callbacks/hiretalents/" + secret)
			_, err = market.AddApplications(job, 2)
			must(t, err)
			states := func() map[planner.Kind]int {
				ops, err := r.Journal.Ops(t.Context(), journal.Filter{})
				must(t, err)
				n := map[planner.Kind]int{}
				for _, op := range ops {
					if op.State == planner.Applied {
						n[op.Kind]++
					}
				}
				return n
			}
			done := func() bool {
				n := states()
				return n[planner.Rate] == 2 && n[planner.Resume] == 1 && market.Traffic().Callbacks.Delivered >= 3
			}
			for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("applied %v, callbacks %+v, requests %v\n%s", states(), market.Traffic().Callbacks, market.Traffic().Received, log)
				}
			}
			own, err := r.Journal.Job(t.Context(), job)
			must(t, err)
			onMarket, _ := market.Job(job)
			if own.Seats != 5 || onMarket.Status != sandbox.JobOnline {
				t.Errorf("the job has %d seats by the books and is %v on the marketplace", own.Seats, onMarket.Status)
			}
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log holds the secret:\n%s", log)
			}
		})
	}
}
