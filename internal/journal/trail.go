package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// trail is what this process knows of the numbers that begin.lua gave it. Each
// begin says the highest of them: a Redis that lost writes is told by it in the
// very script that would have let a second request through.
type trail struct {
	mu         sync.Mutex
	id, holder string
	known      int64
}

// Follow makes every Begin from now on compare the journal with what the holder
// of a send log knows: the journal's id and the highest number it was given.
// A Begin that finds less answers Lost and writes nothing.
func (j *Journal) Follow(id, holder string, seq int64) {
	j.trail.mu.Lock()
	defer j.trail.mu.Unlock()
	j.trail.id, j.trail.holder, j.trail.known = id, holder, seq
}

// Known is the highest number that this process was given; 0 before Follow.
func (j *Journal) Known() int64 {
	j.trail.mu.Lock()
	defer j.trail.mu.Unlock()
	return j.trail.known
}

// sign fills in what is known at the moment at which a pipeline leaves. The
// pipelines of a process follow one another, so nothing that was answered
// before is left out.
func (j *Journal) sign(batch []*call) {
	j.trail.mu.Lock()
	defer j.trail.mu.Unlock()
	if j.trail.holder == "" {
		return
	}
	for _, c := range batch {
		switch c.script {
		case j.scripts["begin"]:
			c.args[beginID], c.args[beginHolder], c.args[beginKnown] = j.trail.id, j.trail.holder, j.trail.known
		case j.scripts[scriptBeginPage]:
			c.args[0], c.args[1], c.args[2] = j.trail.id, j.trail.holder, j.trail.known
		}
	}
}

// follow keeps the highest number that a begin was given.
func (j *Journal) follow(c *call) {
	if c.err != nil || c.out[0] != string(Through) {
		return
	}
	var high int64
	switch c.script {
	case j.scripts["begin"]:
		high = seqOf(c.out[2])
	case j.scripts[scriptBeginPage]:
		for i := 1; i+2 < len(c.out); i += 3 {
			if c.out[i] == string(Through) {
				high = max(high, seqOf(c.out[i+2]))
			}
		}
	}
	j.trail.mu.Lock()
	defer j.trail.mu.Unlock()
	j.trail.known = max(j.trail.known, high)
}

func seqOf(text string) int64 {
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0 // Begin tells of it
	}
	return seq
}

// Presence is what a runner says of itself when it looks at the journal.
type Presence struct {
	// ID names the journal where it has no name yet; "" leaves it without one.
	ID string
	// Holder is the runner's send log; Name tells people whose it is.
	Holder, Name string
	// Beat enters the runner in the roster; Left tells that it is stopping.
	Beat, Left bool
	// Incarnation is the Redis server for which the runner, having compared its
	// send log with it, vouches. Also are the holders of dead runners' logs that
	// it vouches for as well.
	Incarnation string
	Also        []string
}

// Standing is what a runner should know of the journal.
type Standing struct {
	// ID is the journal's name; "" where it has none.
	ID string
	// Clock is the clock of Redis.
	Clock time.Time
	// Seq is the highest number that the holder was given.
	Seq int64
	// Sends is the highest number that was given to anyone.
	Sends int64
	// Frozen says why nothing may be sent; empty where all may.
	Frozen []Freeze
	// Runners is the roster, by holder.
	Runners map[string]Runner
}

// Runner is one runner of the roster.
type Runner struct {
	Name string
	// Seen is its last sign of life, by the clock of Redis.
	Seen time.Time
	// Left tells that it stopped by itself.
	Left bool
	// Incarnation is the last Redis server that it vouched for.
	Incarnation string
}

// Freeze is a reason for which nothing is sent by any runner.
type Freeze struct {
	// Holder is the send log that the journal contradicts, or that is missing.
	Holder string `json:"holder"`
	// Reason is told to people.
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	// Absent: the runner did not answer; it ends when it does.
	Absent bool `json:"absent,omitempty"`
}

// Stand tells the journal of a runner, and the runner of the journal.
func (j *Journal) Stand(ctx context.Context, p Presence) (Standing, error) {
	args := []any{p.ID, p.Holder, p.Name, flag(p.Beat), flag(p.Left), p.Incarnation}
	for _, h := range p.Also {
		args = append(args, h)
	}
	out, err := j.run(ctx, "stand", args...)
	if err != nil {
		return Standing{}, err
	}
	st := Standing{ID: out[2], Runners: map[string]Runner{}}
	r := reader{f: map[string]string{"clock": out[1], "seq": out[3], "sends": out[4], "frozen": out[5]}}
	st.Clock, st.Seq, st.Sends = r.time("clock"), r.int("seq"), r.int("sends")
	n := int(r.int("frozen"))
	if r.err != nil {
		return st, fmt.Errorf("journal: %w", r.err)
	}
	for _, text := range out[6 : 6+n] {
		var f Freeze
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return st, fmt.Errorf("journal: freeze: %w", err)
		}
		st.Frozen = append(st.Frozen, f)
	}
	rest := out[6+n:]
	for i := 0; i+1 < len(rest); i += 2 {
		if st.Runners[rest[i]], err = decodeRunner(rest[i+1]); err != nil {
			return st, fmt.Errorf("journal: roster: %w", err)
		}
	}
	return st, nil
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return ""
}

// decodeRunner reads a line each for the last sign of life, whether it left, its
// incarnation and its name.
func decodeRunner(text string) (Runner, error) {
	f := strings.SplitN(text, "\n", 4)
	if len(f) != 4 {
		return Runner{}, fmt.Errorf("entry %q", text)
	}
	ms, err := strconv.ParseInt(f[0], 10, 64)
	return Runner{Name: f[3], Seen: time.UnixMilli(ms), Left: f[1] != "", Incarnation: f[2]}, err
}

// Seqs is the highest number that each send log's holder was given.
func (j *Journal) Seqs(ctx context.Context) (map[string]int64, error) {
	f, err := j.rdb.HGetAll(ctx, j.keys.seqs()).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: sequence numbers: %w", err)
	}
	out := make(map[string]int64, len(f))
	r := reader{f: f}
	for holder := range f {
		out[holder] = r.int(holder)
	}
	return out, r.err
}

// alertSends and a holder is the subject of the alert that tells of a freeze.
const alertSends = "sends:"

// Frozen are the reasons for which nothing is sent; empty where all may be.
func (j *Journal) Frozen(ctx context.Context) ([]Freeze, error) {
	st, err := j.Stand(ctx, Presence{})
	return st.Frozen, err
}

// Freeze stops the sends of every runner, and tells people why. id names a
// journal that has no name any more.
func (j *Journal) Freeze(ctx context.Context, id string, f Freeze) error {
	doc, err := json.Marshal(f)
	if err != nil {
		return err
	}
	alert, err := json.Marshal(Alert{Subject: alertSends + f.Holder, At: f.At.UTC(), Message: f.Reason})
	if err != nil {
		return err
	}
	_, err = j.run(ctx, "freeze", f.Holder, doc, alertSends+f.Holder, alert, id)
	return err
}

// Thaw takes the freezes of some holders back. Nothing is sent before the last
// one is gone.
func (j *Journal) Thaw(ctx context.Context, holders ...string) error {
	args := []any{alertSends}
	for _, h := range holders {
		args = append(args, h)
	}
	_, err := j.run(ctx, "thaw", args...)
	return err
}

// Raise makes a journal by its id know the number up to which it was compared
// with a holder's send log. One that gave out no number yet takes the id; another
// one is refused.
func (j *Journal) Raise(ctx context.Context, id, holder string, seq int64) error {
	out, err := j.run(ctx, "raise", holder, seq, id)
	if err != nil {
		return err
	}
	if out[0] == "other" {
		return fmt.Errorf("this Redis holds another journal (%s), with sends of its own, than the send log is of (%s)", out[1], id)
	}
	return nil
}
