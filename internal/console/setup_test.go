package console_test

import (
	"io"
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
	"github.com/campaign-runner/campaign-runner/internal/console"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

const token = "a-token-of-the-console"

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// fixture is a console that is served on loopback.
type fixture struct {
	journal *journal.Journal
	redis   *miniredis.Miniredis
	clock   *clock
	server  *httptest.Server
	// log is what the console logged so far, to be read after its requests.
	log *lockedBuffer
}

func setup(t *testing.T, change func(*console.Config)) *fixture {
	t.Helper()
	mini := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: mini.Addr(), MaxRetries: -1, DialerRetries: 1, DisableIdentity: true})
	t.Cleanup(func() { _ = rdb.Close() })
	j, err := journal.Open(rdb)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{journal: j, redis: mini, clock: &clock{t: noon}, log: &lockedBuffer{}}
	cfg := console.Config{
		Journal: j, Now: f.clock.now, Log: slog.New(slog.NewTextHandler(f.log, nil)), Version: "v1.2.3",
	}
	if change != nil {
		change(&cfg)
	}
	f.server = httptest.NewServer(console.New(cfg))
	t.Cleanup(f.server.Close)
	return f
}

func withToken(cfg *console.Config) { cfg.Token = settings.NewSecret(token) }

// lockedBuffer gathers a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// answer is a response that was read whole.
type answer struct {
	*http.Response
	body string
}

// do sends a request and follows no redirect.
func (f *fixture) do(t *testing.T, method, path, body string, change func(*http.Request)) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	resp, err := f.server.Client().Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, string(b)}
}

func (f *fixture) get(t *testing.T, path string) answer {
	t.Helper()
	return f.do(t, http.MethodGet, path, "", nil)
}

// fromProxy makes a request one that came in from elsewhere.
func fromProxy(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.9") }

func bearer(text string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+text) }
}

// The seeded operations.
const (
	madeID   = "signs/create/pokhara/20261124T090000Z"
	parkedID = "signs/create/50%25 off/20261124T090000Z"
)

// seed writes a campaign with a job, an operation that is parked, an alert and
// a budget that closed; text stands wherever others may write.
func (f *fixture) seed(t *testing.T, text string) {
	t.Helper()
	ctx, cap5 := t.Context(), money.MustParse("5")
	c := &campaigns.Campaign{
		Name: "signs", Source: "signs.yaml", Timezone: "UTC",
		Budget:  &campaigns.Budget{Cap: cap5, PauseAt: money.MustParse("4"), Per: campaigns.PerTotal, Measure: campaigns.MeasureCommitted, Resume: campaigns.ResumeManual},
		Actions: []campaigns.Action{{ID: "create", Do: "create", Cron: "0 9 * * *", CatchUp: campaigns.CatchUpLast}},
	}
	must(t, f.journal.Register(ctx, noon, c))
	slot := noon.Add(-3 * time.Hour)
	made := planner.Operation{ID: madeID, Campaign: "signs", Action: "create", Item: "pokhara", Kind: planner.Create, Slot: slot, Seats: 100}
	parked := made
	parked.ID, parked.Item, parked.Because = parkedID, text, text
	_, err := f.journal.Create(ctx, noon, nil, journal.Queue([]planner.Operation{made, parked}))
	must(t, err)
	cost := money.MustParse("4.875")
	f.settle(t, c, madeID, cost, journal.Settlement{
		To: planner.Applied, Cost: &cost, JobID: 15356,
		Made: &journal.Made{Item: "pokhara", Slot: slot, Seats: 100, Price: money.MustParse("0.03")},
	})
	pending := 7
	must(t, f.journal.See(ctx, noon, []journal.Sighting{{
		ID: 15356, Status: journal.JobOnline, Applications: 42, Pending: &pending, Title: text,
	}}))
	op, err := f.journal.Get(ctx, parkedID)
	must(t, err)
	_, err = f.journal.Settle(ctx, journal.Settlement{
		Op: op, From: planner.Queued, To: planner.Parked, Now: noon, Due: noon.Add(time.Hour), Stamp: "s2",
		Error: text, Note: text, Seen: map[string]string{"seen": text},
	})
	must(t, err)
	must(t, f.journal.Alert(ctx, noon, text, text))
	books, err := f.journal.Account(ctx)
	must(t, err)
	must(t, f.journal.ReadBalance(ctx, noon, money.MustParse("95.125"), books))
}

// got has two answers of the seeded job approved, and the job filled after 90
// minutes and asked about again.
func (f *fixture) got(t *testing.T) {
	t.Helper()
	for i := range int64(2) {
		must(t, f.journal.KeepAnswers(t.Context(), 15356, []journal.Answer{{Application: i + 1, Status: journal.AnswerApproved, Worker: i, HandedIn: noon}}))
	}
	for i, applications := range []int{100, 42} {
		must(t, f.journal.See(t.Context(), noon.Add(time.Duration(i+1)*90*time.Minute), []journal.Sighting{{
			ID: 15356, Status: journal.JobOnline, Applications: applications, Title: "text",
		}}))
	}
}

// settle begins an operation and writes its outcome.
func (f *fixture) settle(t *testing.T, c *campaigns.Campaign, id string, amount money.USD, s journal.Settlement) {
	t.Helper()
	op, err := f.journal.Get(t.Context(), id)
	must(t, err)
	p, err := f.journal.Begin(t.Context(), journal.Start{
		Op: op, Nonce: "n", Now: noon, Deadline: noon.Add(time.Minute), Amount: amount, Quote: &amount,
		Limits: journal.Limits(c, noon),
	})
	must(t, err)
	if p.Gate != journal.Through {
		t.Fatalf("the gate is %q: %v", p.Gate, p.Detail)
	}
	op.Attempts = p.Attempt
	s.Op, s.From, s.Nonce, s.Stamp, s.Now = op, planner.Sending, "n", "s1", noon
	_, err = f.journal.Settle(t.Context(), s)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
