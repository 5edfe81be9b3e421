package memory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// status is a simple string of the protocol, such as OK.
type status string

// hook answers a client's commands in its process.
type hook struct{ r *Redis }

// DialHook refuses connections: there is nothing to connect to.
func (h hook) DialHook(redis.DialHook) redis.DialHook {
	return func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("memory: there is no server to connect to")
	}
}

// ProcessHook answers one command.
func (h hook) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.r.process(ctx, []redis.Cmder{cmd})
	}
}

// ProcessPipelineHook answers the commands of a pipeline, one after the other.
func (h hook) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return h.r.process
}

// process runs commands and returns the first error.
func (r *Redis) process(ctx context.Context, cmds []redis.Cmder) error {
	var first error
	if first = ctx.Err(); first != nil {
		for _, cmd := range cmds {
			cmd.SetErr(first)
		}
		return first
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, cmd := range cmds {
		if err := r.answer(cmd); err != nil {
			cmd.SetErr(err)
			if first == nil {
				first = err
			}
		}
	}
	return first
}

func (r *Redis) answer(cmd redis.Cmder) error {
	args := make([]string, len(cmd.Args()))
	for i, a := range cmd.Args() {
		var err error
		if args[i], err = text(a); err != nil {
			return err
		}
	}
	return fill(cmd, r.do(args))
}

// text writes an argument as go-redis does.
func text(arg any) (string, error) {
	switch v := arg.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case bool:
		if v {
			return "1", nil
		}
		return "0", nil
	}
	return "", fmt.Errorf("memory: an argument of type %T", arg)
}

// fill gives a command its answer.
func fill(cmd redis.Cmder, reply any) error {
	switch v := reply.(type) {
	case Error:
		return v
	case nil:
		return redis.Nil
	}
	switch c := cmd.(type) {
	case *redis.Cmd:
		c.SetVal(plain(reply))
		return nil
	case *redis.StringCmd:
		return set(reply, c.SetVal)
	case *redis.IntCmd:
		return set(reply, c.SetVal)
	case *redis.BoolCmd:
		return set(reply, func(n int64) { c.SetVal(n == 1) })
	case *redis.StatusCmd:
		return set(reply, func(s status) { c.SetVal(string(s)) })
	case *redis.FloatCmd:
		return set(reply, func(s string) { c.SetVal(float(s)) })
	}
	rows, ok := reply.([]any)
	if !ok {
		return fmt.Errorf("memory: %s answers %T", cmd.Name(), reply)
	}
	return fillRows(cmd, rows)
}

func set[T any](reply any, to func(T)) error {
	v, ok := reply.(T)
	if !ok {
		return fmt.Errorf("memory: an answer of type %T", reply)
	}
	to(v)
	return nil
}

func fillRows(cmd redis.Cmder, rows []any) error {
	switch c := cmd.(type) {
	case *redis.SliceCmd:
		c.SetVal(rows)
	case *redis.StringSliceCmd:
		c.SetVal(words(rows))
	case *redis.FloatSliceCmd: // a member that is missing has the score 0 there
		out := make([]float64, len(rows))
		for i, row := range rows {
			if text, ok := row.(string); ok {
				out[i] = float(text)
			}
		}
		c.SetVal(out)
	case *redis.BoolSliceCmd:
		out := make([]bool, len(rows))
		for i, row := range rows {
			out[i] = row == int64(1)
		}
		c.SetVal(out)
	case *redis.MapStringStringCmd:
		out := make(map[string]string, len(rows)/2)
		for i, list := 0, words(rows); i < len(list); i += 2 {
			out[list[i]] = list[i+1]
		}
		c.SetVal(out)
	case *redis.ZSliceCmd:
		out := make([]redis.Z, 0, len(rows)/2)
		for i, list := 0, words(rows); i < len(list); i += 2 {
			out = append(out, redis.Z{Member: list[i], Score: float(list[i+1])})
		}
		c.SetVal(out)
	case *redis.XMessageSliceCmd:
		return fillMessages(c, rows)
	case *redis.TimeCmd:
		list := words(rows)
		sec, err := strconv.ParseInt(list[0], 10, 64)
		micro, err2 := strconv.ParseInt(list[1], 10, 64)
		c.SetVal(time.Unix(sec, micro*1000))
		return errors.Join(err, err2)
	default:
		return fmt.Errorf("memory: the answer of %s has no place in %T", cmd.Name(), cmd)
	}
	return nil
}

func fillMessages(c *redis.XMessageSliceCmd, rows []any) error {
	out := make([]redis.XMessage, 0, len(rows))
	for _, row := range rows {
		pair, ok := row.([]any)
		if !ok || len(pair) != 2 {
			return fmt.Errorf("memory: a stream's entry of type %T", row)
		}
		fields, ok := pair[1].([]any)
		if !ok {
			return fmt.Errorf("memory: a stream's fields of type %T", pair[1])
		}
		m := redis.XMessage{Values: map[string]any{}}
		m.ID, _ = pair[0].(string)
		for i, list := 0, words(fields); i < len(list); i += 2 {
			m.Values[list[i]] = list[i+1]
		}
		out = append(out, m)
	}
	c.SetVal(out)
	return nil
}

// words reads an array of strings; what is missing reads as "".
func words(rows []any) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i], _ = row.(string)
	}
	return out
}

// float reads a number that this package wrote.
func float(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return f
}

// plain is an answer as a command of any type holds it.
func plain(reply any) any {
	switch v := reply.(type) {
	case status:
		return string(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	}
	return reply
}

// number reads a whole number as Redis does: no sign but a minus, no zero in
// front, no blank.
func number(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strings.HasPrefix(s, "+") || strconv.FormatInt(n, 10) != s {
		return 0, errNotInt
	}
	return n, nil
}
