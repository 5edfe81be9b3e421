package memory

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// command is one that Redis knows, with the least words that it takes.
type command struct {
	name  string
	least int
	run   func(r *Redis, args []string) any
}

// lookup finds a command in either case.
func (r *Redis) lookup(name string) (command, bool) {
	c, ok := r.commands[name]
	if !ok {
		c, ok = r.commands[strings.ToUpper(name)]
	}
	return c, ok
}

func commandTable() map[string]command {
	list := []command{
		{"del", 2, (*Redis).del}, {"exists", 2, (*Redis).exists}, {"flushdb", 1, (*Redis).flush},
		{"get", 2, (*Redis).get}, {"set", 3, (*Redis).set}, {"setnx", 3, (*Redis).setNX}, {"incr", 2, (*Redis).incr},
		{"hdel", 3, (*Redis).hdel}, {"hexists", 3, (*Redis).hexists}, {"hget", 3, (*Redis).hget},
		{"hgetall", 2, (*Redis).hgetall}, {"hincrby", 4, (*Redis).hincrby}, {"hmget", 3, (*Redis).hmget},
		{"hset", 4, (*Redis).hset},
		{"lpush", 3, (*Redis).lpush}, {"lpop", 2, (*Redis).lpop}, {"rpush", 3, (*Redis).rpush}, {"lrange", 4, (*Redis).lrange},
		{"sadd", 3, (*Redis).sadd}, {"srem", 3, (*Redis).srem}, {"smembers", 2, (*Redis).smembers},
		{"zadd", 4, (*Redis).zadd}, {"zrem", 3, (*Redis).zrem}, {"zscore", 3, (*Redis).zscore}, {"zmscore", 3, (*Redis).zmscore},
		{"zcount", 4, (*Redis).zcount}, {"zcard", 2, (*Redis).zcard}, {"zremrangebyrank", 4, (*Redis).zremrangebyrank},
		{"zrange", 4, (*Redis).zrange}, {"zrevrange", 4, (*Redis).zrevrange},
		{"zrangebyscore", 4, (*Redis).zrangebyscore},
		{"xadd", 5, (*Redis).xadd}, {"xrange", 4, (*Redis).xrange},
		{"eval", 3, (*Redis).eval}, {"evalsha", 3, (*Redis).evalsha}, {"script", 2, (*Redis).script},
		{"ping", 1, (*Redis).ping}, {"time", 1, (*Redis).time}, {"info", 1, (*Redis).info},
	}
	out := make(map[string]command, 2*len(list))
	for _, c := range list {
		out[c.name], out[strings.ToUpper(c.name)] = c, c
	}
	return out
}

func (r *Redis) ping([]string) any { return status("PONG") }

func (r *Redis) time([]string) any {
	t := r.now()
	return []any{strconv.FormatInt(t.Unix(), 10), strconv.Itoa(t.Nanosecond() / 1000)}
}

// info tells which server it is: one that lost something is another one.
func (r *Redis) info([]string) any {
	return fmt.Sprintf("# Server\r\nrun_id:memory%d\r\n# Replication\r\nmaster_replid:%d\r\n", r.starts, r.starts)
}

func (r *Redis) del(args []string) any {
	n := int64(0)
	for _, key := range args {
		if r.drop(key) {
			n++
		}
	}
	return n
}

func (r *Redis) exists(args []string) any {
	n := int64(0)
	for _, key := range args {
		if _, ok := r.data[key]; ok {
			n++
		}
	}
	return n
}

func (r *Redis) flush([]string) any {
	for key := range r.data {
		r.drop(key)
	}
	return status("OK")
}

// str is a string.
type str string

func (s str) clone() value { return s }
func (s str) empty() bool  { return false }

func (r *Redis) get(args []string) any {
	s, ok, err := read[str](r, args[0])
	if err != nil {
		return err
	}
	if !ok {
		return nil
	}
	return string(s)
}

func (r *Redis) set(args []string) any {
	if len(args) > 2 {
		return errSyntax
	}
	r.put(args[0], str(args[1]))
	return status("OK")
}

func (r *Redis) setNX(args []string) any {
	if _, held := r.data[args[0]]; held {
		return int64(0)
	}
	r.put(args[0], str(args[1]))
	return int64(1)
}

func (r *Redis) incr(args []string) any {
	s, ok, err := read[str](r, args[0])
	if err != nil {
		return err
	}
	n := int64(0)
	if ok {
		if n, err = number(string(s)); err != nil {
			return err
		}
	}
	if n+1 < n {
		return errOverflow
	}
	r.put(args[0], str(strconv.FormatInt(n+1, 10)))
	return n + 1
}

// list is a list, its newest at the end.
type list struct{ items []string }

func newList() *list { return &list{} }

func (l *list) clone() value { return &list{items: append([]string(nil), l.items...)} }
func (l *list) empty() bool  { return len(l.items) == 0 }

func (r *Redis) lpush(args []string) any {
	l, err := write(r, args[0], newList)
	if err != nil {
		return err
	}
	l.items = append(l.items, args[1:]...)
	return int64(len(l.items))
}

func (r *Redis) rpush(args []string) any {
	l, err := write(r, args[0], newList)
	if err != nil {
		return err
	}
	for _, a := range args[1:] {
		l.items = slices.Insert(l.items, 0, a)
	}
	return int64(len(l.items))
}

func (r *Redis) lrange(args []string) any {
	from, to, err := ends(args[1], args[2])
	if err != nil {
		return err
	}
	l, ok, err := read[*list](r, args[0])
	if !ok {
		return orNone(err)
	}
	out := []any{}
	for i := range within(from, to, len(l.items)) {
		out = append(out, l.items[len(l.items)-1-i])
	}
	return out
}

func (r *Redis) lpop(args []string) any {
	if len(args) > 1 {
		return errSyntax
	}
	if _, ok, err := read[*list](r, args[0]); !ok {
		return orNil(err)
	}
	l, err := write(r, args[0], newList)
	if err != nil {
		return err
	}
	last := len(l.items) - 1
	item := l.items[last]
	l.items = l.items[:last]
	r.tidy(args[0], l)
	return item
}

// orNil is the answer for a key that holds nothing, or something else.
func orNil(err error) any {
	if err != nil {
		return err
	}
	return nil
}

// members is a set.
type members map[string]struct{}

func newMembers() members { return members{} }

func (m members) clone() value {
	out := make(members, len(m))
	for k := range m {
		out[k] = struct{}{}
	}
	return out
}
func (m members) empty() bool { return len(m) == 0 }

func (r *Redis) sadd(args []string) any {
	m, err := write(r, args[0], newMembers)
	if err != nil {
		return err
	}
	before := len(m)
	for _, a := range args[1:] {
		m[a] = struct{}{}
	}
	return int64(len(m) - before)
}

func (r *Redis) srem(args []string) any {
	if _, ok, err := read[members](r, args[0]); !ok {
		return orZero(err)
	}
	m, err := write(r, args[0], newMembers)
	if err != nil {
		return err
	}
	before := len(m)
	for _, a := range args[1:] {
		delete(m, a)
	}
	n := int64(before - len(m))
	r.tidy(args[0], m)
	return n
}

// orZero is the count of what is in a key that holds nothing.
func orZero(err error) any {
	if err != nil {
		return err
	}
	return int64(0)
}

// smembers answers in order, so that a run can be repeated.
func (r *Redis) smembers(args []string) any {
	m, _, err := read[members](r, args[0])
	if err != nil {
		return err
	}
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	sort.Strings(names)
	return rows(names)
}

func rows(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
