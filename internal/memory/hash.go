package memory

import (
	"sort"
	"strconv"
)

// hash is a hash.
type hash map[string]string

func newHash() hash { return hash{} }

func (h hash) clone() value {
	out := make(hash, len(h))
	for k, v := range h {
		out[k] = v
	}
	return out
}
func (h hash) empty() bool { return len(h) == 0 }

func (r *Redis) hget(args []string) any {
	h, _, err := read[hash](r, args[0])
	if err != nil {
		return err
	}
	if v, ok := h[args[1]]; ok {
		return v
	}
	return nil
}

func (r *Redis) hmget(args []string) any {
	h, _, err := read[hash](r, args[0])
	if err != nil {
		return err
	}
	out := make([]any, len(args)-1)
	for i, field := range args[1:] {
		if v, ok := h[field]; ok {
			out[i] = v
		}
	}
	return out
}

// hgetall answers in order, so that a run can be repeated.
func (r *Redis) hgetall(args []string) any {
	h, _, err := read[hash](r, args[0])
	if err != nil {
		return err
	}
	fields := make([]string, 0, len(h))
	for k := range h {
		fields = append(fields, k)
	}
	sort.Strings(fields)
	out := make([]any, 0, 2*len(fields))
	for _, k := range fields {
		out = append(out, k, h[k])
	}
	return out
}

func (r *Redis) hexists(args []string) any {
	h, _, err := read[hash](r, args[0])
	if err != nil {
		return err
	}
	if _, ok := h[args[1]]; ok {
		return int64(1)
	}
	return int64(0)
}

func (r *Redis) hset(args []string) any {
	if len(args)%2 == 0 {
		return Error("ERR wrong number of arguments for 'hset' command")
	}
	h, err := write(r, args[0], newHash)
	if err != nil {
		return err
	}
	before := len(h)
	for i := 1; i < len(args); i += 2 {
		h[args[i]] = args[i+1]
	}
	return int64(len(h) - before)
}

func (r *Redis) hdel(args []string) any {
	if _, ok, err := read[hash](r, args[0]); !ok {
		return orZero(err)
	}
	h, err := write(r, args[0], newHash)
	if err != nil {
		return err
	}
	before := len(h)
	for _, field := range args[1:] {
		delete(h, field)
	}
	n := int64(before - len(h))
	r.tidy(args[0], h)
	return n
}

func (r *Redis) hincrby(args []string) any {
	by, err := number(args[2])
	if err != nil {
		return err
	}
	old, _, err := read[hash](r, args[0])
	if err != nil {
		return err
	}
	n := int64(0)
	if was, ok := old[args[1]]; ok {
		if n, err = number(was); err != nil {
			return Error("ERR hash value is not an integer")
		}
	}
	if sum := n + by; (by > 0) != (sum > n) && by != 0 {
		return errOverflow
	}
	h, err := write(r, args[0], newHash)
	if err != nil {
		return err
	}
	h[args[1]] = strconv.FormatInt(n+by, 10)
	return n + by
}
