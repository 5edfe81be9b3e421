package simtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

const prefix = "cr:{main}:"

// truth is what really became of an operation.
type truth struct {
	planner.Operation
	// sent counts the requests that left for it, effects those that were done.
	sent, effects     int
	charged, refunded money.USD
	job               int64
	// overlooked are the jobs that a question for its price made, and what each cost.
	overlooked map[int64]money.USD

	state    planner.State
	attempts int
	// doubted and parked tell that it was once.
	doubted, parked bool
}

// watch holds the invariants after every step.
type watch struct {
	w   *world
	ops map[string]*truth
	// order lists them as they were first seen.
	order []string
	held  map[string]money.USD
	// touched are the jobs at which a person was on the website; meddled the
	// operations that were in a worker's hands meanwhile: what they had read of the
	// job tells less than it seems.
	touched map[int64]bool
	meddled map[string]bool
	latched map[string]bool
	paused  map[string]bool
	stopped bool
	// given are the attempts that were let through, by operation, and lost tells of
	// which the journal has forgotten some.
	given map[string]int
	lost  map[string]bool
	// rewound tells that Redis went back since the last look, and lenient that a
	// recovery wrote something: it holds what was sent, whatever the caps say.
	rewound, lenient bool
	// asked are jobs that a plan's questions made, priced the purchases by hand whose
	// price was looked at. disturbed tells that money moved of which no books know.
	asked     map[int64]bool
	priced    map[string]bool
	disturbed bool
}

func newWatch(w *world) *watch {
	return &watch{
		w: w, ops: map[string]*truth{}, held: map[string]money.USD{}, touched: map[int64]bool{}, meddled: map[string]bool{},
		latched: map[string]bool{}, paused: map[string]bool{}, given: map[string]int{}, lost: map[string]bool{}, asked: map[int64]bool{}, priced: map[string]bool{},
	}
}

// sending notes a request that leaves.
func (w *world) sending(p *packet) {
	w.note("  #%d %s sends %s %s %s", p.number, p.a.name, p.route, p.path, p.fault)
	t := w.watch.ops[p.op]
	if t == nil || p.route != string(t.Kind) {
		return
	}
	t.sent++
	if begun := w.watch.given[p.op]; t.sent > begun {
		w.fail("%s: request %d of %d attempts", p.op, t.sent, begun)
	}
}

// effectOf lets a request arrive and notes what it did.
func (w *world) effectOf(p *packet, do func()) string {
	if !changing(p.route) && !p.overlooked {
		do()
		return ""
	}
	before := w.box.Books()
	do()
	after := w.box.Books()
	n := effects(after) - effects(before)
	charged, refunded := after.Charged-before.Charged, after.Refunded-before.Refunded
	if p.overlooked && n > 0 {
		w.watch.byMistake(p, after.Jobs[len(after.Jobs)-1])
	}
	if n > 0 {
		w.watch.markers(p, after)
	}
	if t := w.watch.ops[p.op]; t != nil && p.route == string(t.Kind) && n > 0 {
		t.effects += n
		t.charged += charged
		t.refunded += refunded
		if p.route == "create" {
			t.job = after.Jobs[len(after.Jobs)-1].JobID
		}
		if least := w.specs[0].MinBalance; t.Kind.Paying() && alone(w.seed) && after.Balance < least {
			w.fail("%s: %s are left in the account, and %s must be", p.op, after.Balance, least)
		}
		if t.effects > 1 && (t.Kind.Paying() || t.Kind == planner.Rate) && !w.watch.meddled[p.op] {
			w.fail("%s: done %d times, for %s USD", p.op, t.effects, t.charged)
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", charged %s, refunded %s", charged, refunded)
}

func effects(b sandbox.Books) int {
	n := len(b.Other)
	for _, j := range b.Jobs {
		n += len(j.Effects)
	}
	return n
}

// look checks what may have changed in the last step.
func (c *watch) look() {
	if c.w.dirty && c.w.err == nil {
		c.w.dirty = false
		clear(c.w.lists)
		c.recount()
	}
}

// row is an operation as Redis has it.
type row struct {
	id, state, class string
	attempts         int
	reserved, cost   money.USD
	budgets          []string
}

// recount reads every operation and compares all sums, counts and indexes.
func (c *watch) recount() {
	rows := c.rows()
	budgets, account := c.money(rows)
	c.states(rows)
	c.ledger(budgets, account)
	c.compare(budgets, account)
	c.doors(rows)
	for _, r := range rows {
		c.verdict(r)
	}
	c.freezes()
	c.rewound, c.lenient = false, false
}

func (c *watch) rows() []row {
	ctx, rdb := context.Background(), c.w.rdb
	owners, err := rdb.SMembers(ctx, prefix+"owners").Result()
	must(err)
	var ids []string
	for _, o := range owners {
		more, err := rdb.ZRange(ctx, prefix+"ops:"+o, 0, -1).Result()
		must(err)
		ids = append(ids, more...)
	}
	pipe := rdb.Pipeline()
	cmds := make([]*redis.SliceCmd, len(ids))
	for i, id := range ids {
		if c.ops[id] == nil {
			c.add(id)
		}
		cmds[i] = pipe.HMGet(ctx, prefix+"op:"+id, "s", "kc", "n", "r", "cost", "b")
	}
	if len(ids) > 0 {
		_, err = pipe.Exec(ctx)
		must(err)
	}
	rows := make([]row, len(ids))
	for i, cmd := range cmds {
		v := cmd.Val()
		r := row{id: ids[i], state: field(v[0]), class: field(v[1]), attempts: int(whole(v[2])), reserved: money.USD(whole(v[3])), cost: -1}
		if v[4] != nil {
			r.cost = money.USD(whole(v[4]))
		}
		if b := field(v[5]); b != "" {
			r.budgets = strings.Split(b, "\n")
		}
		rows[i] = r
	}
	return rows
}

func (c *watch) add(id string) {
	doc, err := c.w.rdb.HGet(context.Background(), prefix+"op:"+id, "d").Result()
	must(err)
	t := &truth{}
	must(json.Unmarshal([]byte(doc), &t.Operation))
	c.ops[id] = t
	c.order = append(c.order, id)
}

func field(v any) string { s, _ := v.(string); return s }

func whole(v any) int64 {
	s := field(v)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	must(err)
	return n
}

// sums are the money of one budget's window, or of the account.
type sums struct{ reserved, unknown, charged, refunded money.USD }

// money adds up what is held for the operations.
func (c *watch) money(rows []row) (map[string]*sums, *sums) {
	budgets, account := map[string]*sums{}, &sums{}
	for _, r := range rows {
		if r.class != "pay" {
			continue
		}
		each := []*sums{account}
		for _, line := range r.budgets {
			each = append(each, sumsOf(budgets, line))
		}
		for _, s := range each {
			switch planner.State(r.state) {
			case planner.Sending:
				s.reserved += r.reserved
			case planner.Unknown, planner.Parked:
				s.unknown += r.reserved
			}
		}
	}
	return budgets, account
}

func sumsOf(m map[string]*sums, line string) *sums {
	if m[line] == nil {
		m[line] = &sums{}
	}
	return m[line]
}

// ledger adds up the entries.
func (c *watch) ledger(budgets map[string]*sums, account *sums) {
	entries, err := c.w.books.Ledger(context.Background())
	must(err)
	for _, e := range entries {
		each := []*sums{account}
		for _, line := range e.Budgets {
			each = append(each, sumsOf(budgets, line))
		}
		for _, s := range each {
			if e.Kind == "refund" {
				s.refunded += e.Amount
			} else {
				s.charged += e.Amount
			}
		}
	}
}

// compare holds the totals against the recount, and the budgets against their caps.
func (c *watch) compare(budgets map[string]*sums, account *sums) {
	ctx, rdb := context.Background(), c.w.rdb
	have := func(key string) sums {
		v, err := rdb.HMGet(ctx, key, "reserved", "unknown", "charged", "refunded").Result()
		must(err)
		return sums{money.USD(whole(v[0])), money.USD(whole(v[1])), money.USD(whole(v[2])), money.USD(whole(v[3]))}
	}
	if got := have(prefix + "account"); got != *account {
		c.w.fail("the account holds %+v, its operations and entries %+v", got, *account)
	}
	for line, want := range budgets {
		scope, window, _ := strings.Cut(line, " ")
		got := have(prefix + "budget:" + scope + ":" + window)
		if got != *want {
			c.w.fail("budget %s holds %+v, its operations and entries %+v", line, got, *want)
		}
		held := got.charged - got.refunded + got.reserved + got.unknown
		if most, capped := c.cap(scope, window); capped && held > most && held > c.held[line] && !c.rewound && !c.lenient {
			c.w.fail("budget %s: %s are held of %s", line, held, most)
		}
		c.held[line] = held
	}
}

// cap is what a window of a budget may hold by the specs as they are registered.
func (c *watch) cap(scope, window string) (money.USD, bool) {
	for _, name := range []string{"signs", "tiles"} {
		spec := c.spec(name)
		if spec == nil {
			continue
		}
		for _, l := range journal.Limits(spec, c.w.now) {
			if l.Scope == scope && l.Cap >= 0 && len(l.Window) == len(window) {
				return l.Cap, true
			}
		}
	}
	return 0, false
}

func (c *watch) spec(name string) *campaigns.Campaign {
	return c.w.known[c.ofCampaign(name, "digest")]
}

// ofCampaign is a field of a campaign; "" where it is not registered.
func (c *watch) ofCampaign(name, field string) string {
	v, err := c.w.rdb.HGet(context.Background(), prefix+"campaign:"+name, field).Result()
	if !errors.Is(err, redis.Nil) {
		must(err)
	}
	return v
}

// states compares the counts and the lists of open operations.
func (c *watch) states(rows []row) {
	ctx := context.Background()
	want := map[planner.State]int{}
	lists := map[string]bool{}
	for _, r := range rows {
		want[planner.State(r.state)]++
		lists[r.state+" "+r.id] = true
	}
	got, err := c.w.books.Counts(ctx, "")
	must(err)
	for s, n := range want {
		if got[s] != n {
			c.w.fail("%d operations are %s, the count says %d", n, s, got[s])
		}
	}
	for _, s := range []planner.State{planner.Queued, planner.Sending, planner.Unknown, planner.Parked} {
		ids, err := c.w.rdb.ZRange(ctx, prefix+"open:"+string(s), 0, -1).Result()
		must(err)
		if len(ids) != want[s] {
			c.w.fail("%d operations are %s, the list holds %d", want[s], s, len(ids))
		}
		for _, id := range ids {
			if !lists[string(s)+" "+id] {
				c.w.fail("%s is listed as %s and is not", id, s)
			}
		}
	}
}

// doors checks that nobody was let through a closed door in this step.
func (c *watch) doors(rows []row) {
	ctx, rdb := context.Background(), c.w.rdb
	latched, paused := map[string]bool{}, map[string]bool{}
	scopes, err := rdb.SMembers(ctx, prefix+"latched").Result()
	must(err)
	for _, s := range scopes {
		latched[s] = true
	}
	for _, spec := range c.w.specs {
		state := c.ofCampaign(spec.Name, "state")
		paused[spec.Name] = state != "active" && state != ""
	}
	stopped := rdb.Exists(ctx, prefix+"stop").Val() == 1
	for _, r := range rows {
		t := c.ops[r.id]
		if r.state != string(planner.Sending) || r.attempts == t.attempts || c.rewound {
			continue
		}
		if t.Kind != planner.Pause && ((paused[t.Campaign] && c.paused[t.Campaign]) || (stopped && c.stopped)) {
			c.w.fail("%s was let through while its campaign was paused", r.id)
		}
		if r.class != "pay" {
			continue
		}
		for _, line := range r.budgets {
			scope, _, _ := strings.Cut(line, " ")
			if latched[scope] && c.latched[scope] {
				c.w.fail("%s was let through although %s is closed", r.id, scope)
			}
		}
	}
	c.latched, c.paused, c.stopped = latched, paused, stopped
}

// verdict compares what the journal says of an operation with what was done.
func (c *watch) verdict(r row) {
	t := c.ops[r.id]
	t.state, t.attempts = planner.State(r.state), r.attempts
	switch t.state {
	case planner.Unknown:
		t.doubted = true
	case planner.Parked:
		t.parked = true
	}
	if r.attempts < c.given[r.id] {
		c.lost[r.id] = true
	} else if t.state == planner.Unknown || t.state == planner.Applied || t.state == planner.Parked {
		delete(c.lost, r.id)
	}
	// What is lost of it is not recovered yet, even where its number is used again.
	if !t.Kind.Paying() || c.lost[r.id] {
		return
	}
	if c.adopted(t, r) || c.booked(t, r) {
		return
	}
	if c.meddled[r.id] {
		return
	}
	switch t.state {
	case planner.Applied:
		if t.effects != 1 || r.cost != t.charged && !c.guessed(r.id) {
			c.w.fail("%s is applied at %s, and was done %d times for %s", r.id, r.cost, t.effects, t.charged)
		}
	case planner.Queued, planner.Rejected, planner.Skipped, planner.Canceled:
		if t.effects != 0 {
			c.w.fail("%s is %s, and was done for %s", r.id, t.state, t.charged)
		}
	}
}
