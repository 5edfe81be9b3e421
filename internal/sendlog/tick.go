package sendlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
)

const (
	// aliveFor is how long before a change of Redis a runner may have been seen
	// last and is still waited for; leftFor is that of one that stopped by itself.
	aliveFor = time.Minute
	leftFor  = 5 * time.Second
)

// alertLog is the subject of the alert that a log cannot be written.
const alertLog = "sendlog:"

// Tick compares the journal with the logs once, tells the other runners of it,
// and opens or shuts the way for sends.
func (g *Guard) Tick(ctx context.Context) error {
	g.turn.Lock()
	defer g.turn.Unlock()
	g.mend(ctx)
	incarnation, err := g.Incarnation(ctx)
	if err != nil {
		return err
	}
	g.mu.Lock()
	changed := incarnation != g.incarnation
	if changed && g.incarnation != unseen {
		g.doubt(reasonChanged)
	}
	before := g.pass
	lost, want := maps.Clone(g.lost), maps.Clone(g.want)
	two := g.latest != "" && serverOf(g.latest) != serverOf(incarnation)
	g.mu.Unlock()
	if two {
		return errors.New("two Redis servers answer at one address")
	}
	var v view
	if len(lost) > 0 {
		err = g.recovered(ctx, lost)
	} else {
		// A neighbour that is waited for may have died meanwhile.
		v, err = g.compare(ctx, changed || g.near(want))
	}
	if err != nil {
		return err
	}
	return g.meet(ctx, incarnation, v, before, len(lost) == 0)
}

// near tells whether the log of one of some runners is in this folder.
func (g *Guard) near(want map[string]journal.Runner) bool {
	if len(want) == 0 {
		return false
	}
	names, err := g.Disk.Names()
	if err != nil {
		return false // whoever reads the logs is told
	}
	return slices.ContainsFunc(names, func(name string) bool {
		_, found := want[strings.TrimSuffix(name, suffix)]
		return found && strings.HasSuffix(name, suffix)
	})
}

// serverOf is the part of an incarnation that one server keeps from its start to
// its end: its replication may begin anew behind a connection that stays.
func serverOf(incarnation string) string {
	run, _, _ := strings.Cut(incarnation, ".")
	return run
}

// mend opens a log again that failed, and tells people while it does not.
func (g *Guard) mend(ctx context.Context) {
	broken := g.log.Err()
	if broken != nil {
		broken = g.log.Reopen()
	}
	subject := alertLog + g.log.Holder()
	var err error
	switch {
	case broken != nil:
		message := fmt.Sprintf("nothing is sent by the runner of %s: its send log cannot be written: %v", g.Name, broken)
		if !g.shut {
			g.Log.ErrorContext(ctx, message)
		}
		g.shut, err = true, g.Journal.Alert(ctx, g.Now(), subject, message)
	case g.shut:
		g.Log.InfoContext(ctx, "the send log can be written again")
		if err = g.Journal.ClearAlert(ctx, subject); err == nil {
			g.shut = false
		}
	}
	if err != nil {
		g.Log.WarnContext(ctx, "an alert could not be written", "err", err)
	}
}

// compare finds out whether the journal reaches all that the logs know, and
// freezes the sends where it does not.
func (g *Guard) compare(ctx context.Context, all bool) (view, error) {
	v, err := g.look(ctx, all)
	if err != nil || v.short == "" {
		return v, err
	}
	// A freeze takes a person to end it, so one answer is not enough: it may be of
	// a Redis that is just being replaced.
	g.Doubt("Redis does not reach what the send log knows: it is asked again")
	again, err := g.look(ctx, all)
	if err != nil {
		return view{}, err
	}
	if again.short != v.short {
		return view{}, fmt.Errorf("redis answered that it does not reach the send log %s, and then that it does", v.short)
	}
	return view{}, g.freeze(ctx, again.short, again.st)
}

// view is what one look at the journal showed.
type view struct {
	st journal.Standing
	// short is the holder of a log that the journal does not reach; "" is none.
	short string
	// dead are the holders of the folder's logs whose processes are gone.
	dead []string
	// seqs are the numbers that all holders were given.
	seqs map[string]int64
}

// look asks the journal how far it reaches. What this process knows is read
// first: a number that it is given while the answer travels is none that the
// journal forgot.
func (g *Guard) look(ctx context.Context, all bool) (view, error) {
	known := g.Journal.Known()
	st, err := g.Journal.Stand(ctx, journal.Presence{Holder: g.log.Holder()})
	v := view{st: st}
	if err != nil {
		return v, err
	}
	if st.ID != g.log.Journal() && known == 0 {
		if st, err = g.turnTo(ctx, st); err != nil {
			return v, err
		}
		v.st = st
	}
	if st.ID != g.log.Journal() || st.Seq < known {
		v.short = g.log.Holder()
		return v, nil
	}
	if err := g.keep(st); err != nil {
		g.Log.WarnContext(ctx, "the journal of this Redis could not be remembered; it is tried again", "err", err)
	}
	if v.seqs, err = g.Journal.Seqs(ctx); err != nil || !all {
		return v, err
	}
	dead, err := g.dead()
	if err != nil {
		return v, err
	}
	for _, c := range dead {
		if v.seqs[c.Holder] < c.High {
			v.short = c.Holder
			return v, nil
		}
		v.dead = append(v.dead, c.Holder)
	}
	return v, nil
}

// unused tells that the journal of this process's log never gave out a number
// that this folder knows of: another one in its place has lost nothing.
func (g *Guard) unused() (bool, error) {
	if g.kept.Sent || g.log.High() > 0 {
		return false, nil
	}
	logs, err := ReadAll(g.Disk)
	return !slices.ContainsFunc(logs, func(c Contents) bool { return c.Journal == g.log.Journal() && c.High > 0 }), err
}

// turnTo has a log of an unused journal follow the one that there is. Such a log
// was begun on a Redis that had been emptied, and has its journal back since.
func (g *Guard) turnTo(ctx context.Context, st journal.Standing) (journal.Standing, error) {
	if free, err := g.unused(); err != nil || !free {
		return st, err
	}
	if st.ID == "" {
		return g.Journal.Stand(ctx, journal.Presence{ID: g.log.Journal(), Holder: g.log.Holder()})
	}
	if err := g.log.Turn(st.ID); err != nil {
		return st, err
	}
	g.Journal.Follow(st.ID, g.log.Holder(), st.Seq)
	return st, nil
}

// dead are the logs of this journal, and those without sends of any, whose
// processes are gone.
func (g *Guard) dead() ([]Contents, error) {
	logs, err := ReadAll(g.Disk)
	if err != nil {
		return nil, err
	}
	var out []Contents
	for _, c := range logs {
		if c.Journal != g.log.Journal() && c.High > 0 || c.Holder == g.log.Holder() {
			continue
		}
		release, held, err := g.Disk.Lock(c.Name + ".lock")
		if err != nil {
			return nil, fmt.Errorf("send log %s: %w", c.Name, err)
		}
		if held {
			release()
			out = append(out, c)
		}
	}
	return out, nil
}

// freeze stops the sends of this process, whatever Redis says, and those of all
// others through the journal.
func (g *Guard) freeze(ctx context.Context, holder string, st journal.Standing) error {
	// Whoever recovers reads the file.
	if err := g.log.Flush(); err != nil {
		g.Log.WarnContext(ctx, "the send log could not be written to the end", "err", err)
	}
	logs, err := ReadAll(g.Disk)
	if err != nil {
		return err
	}
	high, reason := g.log.High(), g.lossOf(Contents{}, st, 0)
	for _, c := range logs {
		if c.Holder != holder {
			continue
		}
		seqs, err := g.Journal.Seqs(ctx)
		if err != nil {
			return err
		}
		high, reason = c.High, g.lossOf(c, st, seqs[holder])
	}
	g.mu.Lock()
	g.pass++
	g.lost[holder] = high
	g.frozen = reason
	g.mu.Unlock()
	g.Log.ErrorContext(ctx, reason, "holder", holder)
	return g.Journal.Freeze(ctx, g.log.Journal(), journal.Freeze{Holder: holder, Reason: reason, At: g.Now()})
}

// lossOf tells people what was lost and what to do.
func (g *Guard) lossOf(c Contents, st journal.Standing, seq int64) string {
	var b strings.Builder
	b.WriteString("Redis lost writes that it had acknowledged")
	if st.ID != g.log.Journal() {
		b.Reset()
		b.WriteString("this Redis does not hold the journal that was here before")
		seq = 0
	}
	n, since := 0, time.Time{}
	for _, s := range c.Sends {
		if s.Seq > seq {
			if n == 0 {
				since = s.At
			}
			n++
		}
	}
	if n > 0 {
		fmt.Fprintf(&b, ": it does not know %d requests that were made since %s", n, since.UTC().Format(time.RFC3339))
	}
	if c.Dropped > seq {
		b.WriteString(", and more that are too old for the send log")
	}
	fmt.Fprintf(&b, ". Nothing is sent, so that nothing is bought twice. Run `enqueue recover FILE…` with all spec files; "+
		"the send log is on %s. Where this Redis is meant to be a new one, stop the runner and move that folder away", g.Name)
	return b.String()
}

// recovered ends the freeze of this process once the journal reaches what the
// logs know.
func (g *Guard) recovered(ctx context.Context, lost map[string]int64) error {
	own := g.log.Holder()
	if _, found := lost[own]; found {
		lost[own] = g.log.High()
	}
	st, err := g.Journal.Stand(ctx, journal.Presence{Holder: own})
	if err != nil {
		return err
	}
	seqs, err := g.Journal.Seqs(ctx)
	if err != nil {
		return err
	}
	for holder, high := range lost {
		frozen := slices.ContainsFunc(st.Frozen, func(f journal.Freeze) bool { return f.Holder == holder })
		if st.ID == g.log.Journal() && seqs[holder] >= high && !frozen {
			continue
		}
		if frozen {
			return nil
		}
		g.mu.Lock()
		reason := g.frozen
		g.mu.Unlock()
		return g.Journal.Freeze(ctx, g.log.Journal(), journal.Freeze{Holder: holder, Reason: reason, At: g.Now()})
	}
	if err := g.keep(st); err != nil {
		return err
	}
	g.Journal.Follow(st.ID, own, st.Seq)
	g.mu.Lock()
	g.lost, g.frozen, g.incarnation = map[string]int64{}, "", unseen
	// The logs of the others may know of more that was lost.
	g.doubt(reasonChanged)
	g.mu.Unlock()
	g.Log.InfoContext(ctx, "the journal was recovered: sends go on")
	return nil
}

// meet vouches for the Redis of an incarnation, and waits for the other runners
// that worked before it to do the same.
func (g *Guard) meet(ctx context.Context, incarnation string, v view, before Pass, sound bool) error {
	g.mu.Lock()
	p := journal.Presence{Holder: g.log.Holder(), Name: g.Name, Beat: true, Incarnation: g.incarnation}
	// What was found lost, or found again, is compared anew before it is vouched for.
	frozen := g.frozen != "" || !sound
	changed := incarnation != g.incarnation
	g.mu.Unlock()
	if !frozen {
		p.Incarnation, p.Also = incarnation, v.dead
	}
	st, err := g.Journal.Stand(ctx, p)
	if err != nil {
		return err
	}
	g.mu.Lock()
	absent := g.waitFor(st, p, v.seqs, changed && !frozen, before)
	remote := ""
	for _, f := range st.Frozen {
		if f.Holder != p.Holder || !f.Absent {
			remote = f.Reason
		}
	}
	if remote != "" && g.remote == "" {
		g.pass++
	}
	g.remote = remote
	g.mu.Unlock()
	return g.tell(ctx, st, p, absent, frozen)
}

// waitFor works out whose word is missing, and lets sends go on where nobody's
// is. It returns those who did not answer in time.
func (g *Guard) waitFor(st journal.Standing, p journal.Presence, seqs map[string]int64, changed bool, before Pass) map[string]journal.Runner {
	if changed {
		if g.want == nil {
			g.want = map[string]journal.Runner{}
		}
		for _, roster := range []map[string]journal.Runner{g.roster, st.Runners} {
			for holder, r := range roster {
				if holder != p.Holder && g.counts(r) {
					g.want[holder] = r
				}
			}
		}
		// However long ago it was seen: what it sent is forgotten.
		for holder, seq := range g.seqs {
			if holder != p.Holder && seqs[holder] < seq {
				r := g.roster[holder]
				r.Name = cmp.Or(r.Name, holder)
				g.want[holder] = r
			}
		}
		g.incarnation, g.since = p.Incarnation, g.Now()
	}
	for holder := range g.want {
		if slices.Contains(p.Also, holder) || st.Runners[holder].Incarnation == p.Incarnation {
			delete(g.want, holder)
		}
	}
	if seqs != nil {
		g.seqs = seqs
	}
	g.roster, g.clock, g.leftClock = st.Runners, st.Clock, st.Clock
	switch {
	case g.frozen != "":
	case len(g.want) > 0:
		if g.hold == "" {
			g.pass++
		}
		g.hold = "Redis was restarted or has failed over: the runner of " + names(g.want) + " has not compared its send log with it yet"
		if g.Now().Sub(g.since) >= g.Answer {
			return maps.Clone(g.want)
		}
	case g.pass == before && g.incarnation == p.Incarnation:
		// Nothing new was doubted while this was looked at.
		g.hold = ""
	}
	return nil
}

// counts tells whether a runner was at work when Redis was last seen as it was.
func (g *Guard) counts(r journal.Runner) bool {
	if r.Left {
		return !r.Seen.Before(g.leftClock.Add(-leftFor))
	}
	return !r.Seen.Before(g.clock.Add(-aliveFor))
}

// tell freezes the journal for runners that do not answer, and takes that back
// for those that did.
func (g *Guard) tell(ctx context.Context, st journal.Standing, p journal.Presence, absent map[string]journal.Runner, frozen bool) error {
	var back []string
	known := map[string]bool{}
	for _, f := range st.Frozen {
		known[f.Holder] = true
		if !f.Absent {
			continue
		}
		if f.Holder == p.Holder && !frozen || st.Runners[f.Holder].Incarnation == p.Incarnation {
			back = append(back, f.Holder)
		}
	}
	if len(back) > 0 {
		if err := g.Journal.Thaw(ctx, back...); err != nil {
			return err
		}
		g.nudge()
	}
	for holder, r := range absent {
		if known[holder] {
			continue
		}
		reason := fmt.Sprintf("Redis was restarted or has failed over, and the runner of %s does not say whether its send log agrees. "+
			"Nothing is sent until it does: start it again, or run `enqueue recover FILE… --log ITS-LOG`, or, where its log is lost for good, "+
			"`enqueue recover FILE… --without %s`", r.Name, holder)
		g.Log.ErrorContext(ctx, reason, "holder", holder)
		if err := g.Journal.Freeze(ctx, g.log.Journal(), journal.Freeze{Holder: holder, Reason: reason, At: g.Now(), Absent: true}); err != nil {
			return err
		}
		g.nudge()
	}
	return nil
}

func names(runners map[string]journal.Runner) string {
	var out []string
	for holder, r := range runners {
		out = append(out, r.Name+" ("+holder+")")
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
