package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Op is an operation with what became of it.
type Op struct {
	planner.Operation
	State planner.State
	// Attempts is how many calls were begun.
	Attempts int
	// Reserved is what is held for it now, in USD.
	Reserved money.USD
	// Quote is what the marketplace said it would cost; Cost is what it did
	// cost, and Refund what it brought back. Nil means not known.
	Quote, Cost, Refund *money.USD
	// Error is the reason of the last failure, refusal or skip.
	Error string
	// Due is when it is looked at next.
	Due       time.Time
	CreatedAt time.Time
	// SettledAt is zero while it may still move by itself.
	SettledAt time.Time
	UpdatedAt time.Time
	// Evidence is what was read before the call, as the executor wrote it.
	Evidence json.RawMessage
	// Recovered tells that the operation was found again on the marketplace after
	// the journal was lost.
	Recovered bool
	// Negative counts the reads that did not find the effect of an unknown
	// operation.
	Negative int
	// Nonce names the caller that was let through, while it is sending.
	Nonce string
	// Asked tells that its price is being asked for, or was and nobody knows the
	// answer.
	Asked bool
	// Generation changes whenever an operation on the same job begins or ends.
	Generation string
	// Holder is the operation that has the job for itself, or "".
	Holder string
	// Released tells that a person let a held operation go.
	Released bool
	// Doc is the operation as it is kept, in JSON.
	Doc json.RawMessage
	// Stored is the history as it is kept: few who load an operation read it.
	Stored string
	// Damage is why the stored operation cannot be read; then nothing but its
	// id, its campaign and its state is to be relied on.
	Damage error
}

// Event is one line of an operation's history.
type Event struct {
	// At is milliseconds since the Unix epoch.
	At    int64         `json:"t"`
	State planner.State `json:"s"`
	// Attempt is the number of the call it speaks of; 0 before the first.
	Attempt int `json:"n,omitempty"`
	// Amount is a quote, a cost or a refund, as State and Note tell.
	Amount *money.USD `json:"m,omitempty"`
	Note   string     `json:"x,omitempty"`
	// Counted: the request left and was turned away, for reasons of its own.
	Counted bool `json:"c,omitempty"`
	// Evidence is what was read.
	Evidence json.RawMessage `json:"e,omitempty"`
}

// History is what happened to the operation, oldest first. Lines that cannot be
// read are left out.
func (op *Op) History() []Event {
	var list []Event
	for line := range strings.SplitSeq(op.Stored, "\n") {
		var e Event
		if line != "" && json.Unmarshal([]byte(line), &e) == nil {
			list = append(list, e)
		}
	}
	return list
}

func (e Event) text() string {
	b, err := json.Marshal(e)
	if err != nil {
		return `{"x":"unwritable event"}`
	}
	return string(b)
}

// Load reads operations in one round trip. Ids that the journal does not hold
// are left out; one that cannot be read is returned with its Damage, so that it
// keeps nobody from the others.
func (j *Journal) Load(ctx context.Context, ids []string) ([]*Op, error) {
	pipe := j.rdb.Pipeline()
	cmds := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		cmds[i] = pipe.HGetAll(ctx, j.keys.op(id))
	}
	if _, err := pipe.Exec(ctx); err != nil && len(ids) > 0 {
		return nil, fmt.Errorf("journal: read operations: %w", err)
	}
	ops := make([]*Op, 0, len(ids))
	for i, cmd := range cmds {
		op, err := decodeOp(cmd.Val())
		if err != nil {
			op = damaged(ids[i], cmd.Val(), err)
		}
		if op != nil {
			ops = append(ops, op)
		}
	}
	return ops, j.loadGenerations(ctx, ops)
}

// damaged is what can still be told of an operation that cannot be read.
func damaged(id string, f map[string]string, err error) *Op {
	op := &Op{Damage: fmt.Errorf("the stored operation is damaged: %w", err)}
	op.ID = id
	op.Campaign, _, _ = strings.Cut(id, "/")
	op.Error = op.Damage.Error()
	op.State = planner.State(f["s"])
	r := reader{f: f}
	op.Due = r.time("due")
	return op
}

// Get reads one operation, or ErrNotFound.
func (j *Journal) Get(ctx context.Context, id string) (*Op, error) {
	ops, err := j.Load(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	if len(ops) == 0 {
		return nil, fmt.Errorf("operation %q: %w", id, ErrNotFound)
	}
	return ops[0], nil
}

// loadGenerations tells each operation that moves money how often its job has
// been touched, so that evidence which has grown old is noticed, and who has the
// job for itself.
func (j *Journal) loadGenerations(ctx context.Context, ops []*Op) error {
	pipe := j.rdb.Pipeline()
	cmds := map[*Op]*redis.SliceCmd{}
	for _, op := range ops {
		if op.Kind.MovesMoney() && op.JobID != 0 {
			cmds[op] = pipe.HMGet(ctx, j.keys.job(jobText(op.JobID)), "gen", "lane")
		}
	}
	if len(cmds) == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("journal: read jobs: %w", err)
	}
	for op, cmd := range cmds {
		values := cmd.Val()
		op.Generation, _ = values[0].(string)
		op.Generation = cmp.Or(op.Generation, "0")
		if op.Holder, _ = values[1].(string); op.Holder == op.ID {
			op.Holder = ""
		}
	}
	return nil
}

func jobText(id int64) string { return strconv.FormatInt(id, 10) }

// decodeOp reads an operation's hash; nil where it holds none.
func decodeOp(f map[string]string) (*Op, error) {
	if f["d"] == "" {
		return nil, nil
	}
	op := &Op{State: planner.State(f["s"]), Error: f["e"], Nonce: f["x"], Released: f["free"] != "", Recovered: f["rc"] != "", Stored: f["h"], Doc: json.RawMessage(f["d"])}
	if err := json.Unmarshal(op.Doc, &op.Operation); err != nil {
		return nil, err
	}
	r := reader{f: f}
	op.Attempts, op.Negative = int(r.int("n")), int(r.int("neg"))
	op.Reserved = money.USD(r.int("r"))
	op.Quote, op.Cost, op.Refund = r.amount("qt"), r.amount("cost"), r.amount("rf")
	op.Due, op.CreatedAt, op.UpdatedAt, op.SettledAt = r.time("due"), r.time("ct"), r.time("ut"), r.time("st")
	op.Asked = f["qa"] != ""
	if f["ev"] != "" {
		op.Evidence = json.RawMessage(f["ev"])
	}
	if f["j"] != "" {
		op.JobID = r.int("j")
	}
	return op, r.err
}

// reader reads typed fields of a hash and keeps the first error.
type reader struct {
	f   map[string]string
	err error
}

func (r *reader) int(name string) int64 {
	s := r.f[name]
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("field %s: %w", name, err)
	}
	return n
}

func (r *reader) amount(name string) *money.USD {
	if r.f[name] == "" {
		return nil
	}
	a := money.USD(r.int(name))
	return &a
}

func (r *reader) time(name string) time.Time {
	n := r.int(name)
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// millis is how times are kept.
func millis(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

func micros(a money.USD) string { return strconv.FormatInt(int64(a), 10) }

func microsOrNone(a *money.USD) string {
	if a == nil {
		return ""
	}
	return micros(*a)
}
