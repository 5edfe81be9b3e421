// Package memory is a Redis inside this process, for runs on a clock that is
// not the wall's: it holds what the journal and the limiter need, answers
// without a socket, and one command runs at a time, as in Redis itself. It has
// no keys that expire, no transactions and no blocking commands.
package memory

import (
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	lua "github.com/yuin/gopher-lua"
)

// Error is an error that Redis answers with, as opposed to one of a connection.
type Error string

func (e Error) Error() string { return string(e) }

// RedisError tells go-redis that the server answered.
func (e Error) RedisError() {}

const (
	errWrongType = Error("WRONGTYPE Operation against a key holding the wrong kind of value")
	errNotInt    = Error("ERR value is not an integer or out of range")
	errNotFloat  = Error("ERR value is not a valid float")
	errSyntax    = Error("ERR syntax error")
	errOverflow  = Error("ERR increment or decrement would overflow")
	errNoScript  = Error("NOSCRIPT No matching script. Please use EVAL.")
)

// Redis is one server. It is safe for concurrent use.
type Redis struct {
	now      func() time.Time
	commands map[string]command

	mu   sync.Mutex
	data map[string]value
	// undo holds what each key written since the last Snapshot was before; nil
	// stands for a key that did not exist.
	undo    map[string]value
	scripts map[string]*lua.LFunction
	// starts counts the restarts.
	starts int
	lua    *lua.LState
	args   []string
}

// New returns an empty server whose TIME and stream ids come from a clock.
func New(now func() time.Time) *Redis {
	r := &Redis{
		now: now, commands: commandTable(),
		data: map[string]value{}, scripts: map[string]*lua.LFunction{},
	}
	r.lua = r.newState()
	return r
}

// Client returns a client of the server. Hooks see each command before it
// runs, and may answer in its place or lose its answer.
func (r *Redis) Client(hooks ...redis.Hook) redis.UniversalClient {
	// Nothing is dialled, but a name in place of an address would be looked up.
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:0", MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	for _, h := range hooks {
		c.AddHook(h)
	}
	c.AddHook(hook{r})
	return c
}

// Snapshot marks all that was written so far as kept.
func (r *Redis) Snapshot() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.undo = map[string]value{}
}

// Restore loses all that was written since the last Snapshot, and the scripts
// with it, as a server does that fails before its log is on the disk. Without
// a Snapshot it loses nothing but the scripts.
func (r *Redis) Restore() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, was := range r.undo {
		if was == nil {
			delete(r.data, key)
		} else {
			r.data[key] = was
		}
	}
	if r.undo != nil {
		r.undo = map[string]value{}
	}
	r.restarted()
}

// Backup is all that a server held at one moment.
type Backup struct{ data map[string]value }

// Backup copies all that the server holds.
func (r *Redis) Backup() *Backup {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Backup{copyOf(r.data)}
}

// Load puts what was backed up in the place of all that the server holds, the
// scripts too, as a server does that is started with an older copy or whose
// replica lacks the latest writes. Nil is an empty one.
func (r *Redis) Load(b *Backup) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data, r.undo = map[string]value{}, nil
	if b != nil {
		r.data = copyOf(b.data)
	}
	r.restarted()
}

func (r *Redis) restarted() {
	clear(r.scripts)
	r.starts++
}

func copyOf(data map[string]value) map[string]value {
	out := make(map[string]value, len(data))
	for key, v := range data {
		out[key] = v.clone()
	}
	return out
}

// do runs one command.
func (r *Redis) do(args []string) any {
	if len(args) == 0 {
		return Error("ERR empty command")
	}
	c, ok := r.lookup(args[0])
	if !ok {
		rest := ""
		for _, a := range args[1:] {
			rest += "'" + a + "' "
		}
		return Error(fmt.Sprintf("ERR unknown command '%s', with args beginning with: %s", args[0], rest))
	}
	if len(args) < c.least {
		return Error(fmt.Sprintf("ERR wrong number of arguments for '%s' command", c.name))
	}
	return c.run(r, args[1:])
}

// value is what a key holds.
type value interface {
	clone() value
	empty() bool
}

// read returns what a key holds; the zero value where it holds nothing.
func read[T value](r *Redis, key string) (v T, ok bool, err error) {
	held, ok := r.data[key]
	if !ok {
		return v, false, nil
	}
	v, ok = held.(T)
	if !ok {
		return v, false, errWrongType
	}
	return v, true, nil
}

// write returns what a key holds, to be changed in place; fresh is put there
// where it holds nothing.
func write[T value](r *Redis, key string, fresh func() T) (T, error) {
	v, ok, err := read[T](r, key)
	switch {
	case err != nil:
		return v, err
	case !ok:
		v = fresh()
		r.put(key, v)
	case r.undo != nil:
		if _, kept := r.undo[key]; !kept {
			r.undo[key] = v
			v = v.clone().(T) //nolint:errcheck // a clone has the type of what it was made from
			r.data[key] = v
		}
	}
	return v, nil
}

func (r *Redis) put(key string, v value) {
	r.remember(key)
	r.data[key] = v
}

func (r *Redis) drop(key string) bool {
	if _, ok := r.data[key]; !ok {
		return false
	}
	r.remember(key)
	delete(r.data, key)
	return true
}

func (r *Redis) remember(key string) {
	if r.undo == nil {
		return
	}
	if _, kept := r.undo[key]; !kept {
		r.undo[key] = r.data[key]
	}
}

// tidy drops a key that holds nothing any more.
func (r *Redis) tidy(key string, v value) {
	if v.empty() {
		r.drop(key)
	}
}
