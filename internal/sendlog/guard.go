package sendlog

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// Journal is what a guard asks of the journal. journal.Journal documents each
// method.
type Journal interface {
	Stand(ctx context.Context, p journal.Presence) (journal.Standing, error)
	Seqs(ctx context.Context) (map[string]int64, error)
	Follow(id, holder string, seq int64)
	Known() int64
	Freeze(ctx context.Context, id string, f journal.Freeze) error
	Thaw(ctx context.Context, holders ...string) error
	Alert(ctx context.Context, now time.Time, subject, message string) error
	ClearAlert(ctx context.Context, subject string) error
}

// Config is what a guard is made of.
type Config struct {
	Disk    Disk
	Journal Journal
	// Address tells one Redis from another, without its password; "" is one that
	// ends with this process.
	Address string
	// Name tells people where the log is: a host and a folder.
	Name string
	// Incarnation names the running Redis server: another word for each start
	// and each fail-over. Nil: there is only one.
	Incarnation func(ctx context.Context) (string, error)
	Now         func() time.Time
	// Draw returns a new unguessable word.
	Draw func() string
	Log  *slog.Logger
	// Answer is how long other runners may take to compare their logs with a
	// Redis that was restarted or has failed over. Default 30s.
	Answer time.Duration
	// Limit and Spawn are LogConfig's.
	Limit int64
	Spawn func(write func())
}

// HeldError tells that nothing may be sent at present.
type HeldError struct {
	Reason string
	// After is when to ask again.
	After time.Duration
}

func (e *HeldError) Error() string { return e.Reason }

// How long an operation waits for a guard that holds it.
const (
	waitForCheck  = time.Second
	waitForPerson = 30 * time.Second
)

// Pass allows one send. It loses its worth when the guard begins to doubt.
type Pass uint64

// Guard records the sends of one process and decides whether it may send. It is
// safe for concurrent use.
type Guard struct {
	Config
	log  *Log
	wake chan struct{}
	// turn is held by the one Tick that runs.
	turn sync.Mutex
	// kept is the journal as it was remembered last.
	kept anchor

	mu   sync.Mutex
	pass Pass
	// hold says what is being checked, since when; "" where nothing is.
	hold  string
	since time.Time
	// lost holds the numbers of the logs, by holder, that the journal does not
	// reach, and frozen tells it to people; "" where it reaches all.
	lost   map[string]int64
	frozen string
	// remote is why another runner froze the journal.
	remote string
	// incarnation is the Redis that was compared last.
	incarnation string
	// want are the runners whose word is waited for.
	want map[string]journal.Runner
	// seqs are the numbers that the holders had when Redis was last seen as it was.
	seqs map[string]int64
	// roster is who was there when Redis was last seen, which was at clock, and
	// for those who stopped by themselves at leftClock.
	roster           map[string]journal.Runner
	clock, leftClock time.Time
	// latest is the Redis of the newest connection.
	latest string
	// shut tells that people were told of a log that cannot be written.
	shut bool
}

// reasonChanged is why nothing is sent before the logs were compared.
const reasonChanged = "Redis was restarted or has failed over: the send logs are compared with it first"

// unseen is the incarnation of a Redis that nothing was compared with yet.
const unseen = "unseen"

// Start opens the log of this process and compares the logs of its folder with
// the journal. Where writes were lost it starts all the same, and sends nothing.
func Start(ctx context.Context, cfg Config) (*Guard, error) {
	if cfg.Answer <= 0 {
		cfg.Answer = 30 * time.Second
	}
	if cfg.Incarnation == nil {
		cfg.Incarnation = func(context.Context) (string, error) { return "", nil }
	}
	g := &Guard{Config: cfg, wake: make(chan struct{}, 1), lost: map[string]int64{}}
	id, err := g.identify(ctx)
	if err != nil {
		return nil, err
	}
	if g.log, err = OpenLog(LogConfig{
		Disk: cfg.Disk, Journal: id, Holder: cfg.Draw(), Now: cfg.Now, Limit: cfg.Limit, Spawn: cfg.Spawn,
	}); err != nil {
		return nil, err
	}
	if err := g.begin(ctx, id); err != nil {
		return nil, fmt.Errorf("%w%s", err, closing(g.log.Close()))
	}
	return g, nil
}

func closing(err error) string {
	if err == nil {
		return ""
	}
	return "; and " + err.Error()
}

// identify finds the journal's id: the one that was last seen at this Redis,
// where it had sends; else the one that it has, or a new one.
func (g *Guard) identify(ctx context.Context) (string, error) {
	anchors, err := readAnchors(g.Disk)
	if err != nil {
		return "", err
	}
	logs, err := ReadAll(g.Disk)
	if err != nil {
		return "", err
	}
	before := anchors[g.Address]
	g.kept = before
	if g.Address != "" && before.Sent {
		return before.ID, nil
	}
	for _, c := range logs {
		if g.Address != "" && c.Journal == before.ID && c.High > 0 {
			return before.ID, nil
		}
	}
	st, err := g.Journal.Stand(ctx, journal.Presence{ID: g.Draw()})
	if err != nil {
		return "", err
	}
	if len(logs) == 0 && st.Sends > 0 {
		g.Log.InfoContext(ctx, "this folder has no send log yet and the journal has sends: other runners' logs guard them", "sends", st.Sends)
	}
	return st.ID, g.keep(st)
}

// keep remembers the journal of this Redis.
func (g *Guard) keep(st journal.Standing) error {
	a := anchor{ID: st.ID, Sent: st.Sends > 0}
	if a == g.kept {
		return nil
	}
	if err := keep(g.Disk, g.Address, a); err != nil {
		return err
	}
	g.kept = a
	return nil
}

// begin makes the first comparison, and enters the roster.
func (g *Guard) begin(ctx context.Context, id string) error {
	st, err := g.Journal.Stand(ctx, journal.Presence{Holder: g.log.Holder()})
	if err != nil {
		return err
	}
	g.Journal.Follow(id, g.log.Holder(), max(g.log.High(), st.Seq))
	// Whoever worked last, and has not vouched for this Redis, is waited for.
	g.roster, g.clock, g.leftClock, g.incarnation = st.Runners, time.UnixMilli(0), st.Clock, unseen
	for _, r := range st.Runners {
		if !r.Left && r.Seen.After(g.clock) {
			g.clock = r.Seen
		}
	}
	return g.Tick(ctx)
}

// Close leaves the roster and closes the log.
func (g *Guard) Close(ctx context.Context) error {
	g.mu.Lock()
	incarnation := g.incarnation
	g.mu.Unlock()
	_, err := g.Journal.Stand(ctx, journal.Presence{
		Holder: g.log.Holder(), Name: g.Name, Beat: true, Left: true, Incarnation: incarnation,
	})
	if err != nil {
		g.Log.WarnContext(ctx, "the runner could not be taken off the roster", "err", err)
	}
	return g.log.Close()
}

// Holder names this process's log, which no other process of this machine has.
func (g *Guard) Holder() string { return g.log.Holder() }

// Enter asks for leave to begin a send. The error is a *HeldError.
func (g *Guard) Enter() (Pass, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pass, g.held()
}

// held tells why nothing may be sent.
func (g *Guard) held() error {
	if err := g.log.Err(); err != nil {
		return &HeldError{Reason: "the send log cannot be written: " + err.Error(), After: waitForCheck}
	}
	switch {
	case g.frozen != "":
		return &HeldError{Reason: g.frozen, After: waitForPerson}
	case g.remote != "":
		return &HeldError{Reason: g.remote, After: waitForPerson}
	case g.hold != "":
		return &HeldError{Reason: g.hold, After: waitForCheck}
	}
	return nil
}

// Check tells whether a pass is still good.
func (g *Guard) Check(pass Pass) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.held(); err != nil {
		return err
	}
	if pass != g.pass {
		return &HeldError{Reason: "Redis was in doubt since this was begun", After: waitForCheck}
	}
	return nil
}

// Record returns once sends are on the disk, all with one fsync. After an error
// none of them may be made.
func (g *Guard) Record(ctx context.Context, pass Pass, sends ...Send) error {
	if err := g.Check(pass); err != nil {
		return err
	}
	if err := g.log.Record(ctx, sends...); err != nil {
		g.nudge()
		return err
	}
	return g.Check(pass)
}

// Outcome keeps what became of sends.
func (g *Guard) Outcome(list ...Outcome) { g.log.Outcome(list...) }

// Doubt stops sending until the journal has been compared with the log.
func (g *Guard) Doubt(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.doubt(reason)
}

func (g *Guard) doubt(reason string) {
	g.pass++
	if g.hold == "" {
		g.hold, g.since = reason, g.Now()
	}
	g.nudge()
}

// Connected is told the incarnation of the Redis behind a new connection.
func (g *Guard) Connected(incarnation string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.latest = incarnation
	if incarnation != g.incarnation {
		g.doubt(reasonChanged)
	}
}

// Frozen tells why nothing may be sent at present; "" where all may.
func (g *Guard) Frozen() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.held(); err != nil {
		return err.Error()
	}
	return ""
}

func (g *Guard) nudge() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

const (
	// beatEvery is how often a guard tells that it is there, and looks.
	beatEvery = 3 * time.Second
	// lookEvery is how often it looks while something is held.
	lookEvery = 500 * time.Millisecond
)

// Run looks at the journal until the context ends.
func (g *Guard) Run(ctx context.Context) {
	for {
		every := beatEvery
		if g.Frozen() != "" {
			every = lookEvery
		}
		timer := time.NewTimer(every)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-g.wake:
			timer.Stop()
		case <-timer.C:
		}
		if err := g.Tick(ctx); err != nil && ctx.Err() == nil {
			g.Log.WarnContext(ctx, "the send log could not be compared with the journal; it is tried again", "err", err)
			timer.Reset(lookEvery)
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		}
	}
}
