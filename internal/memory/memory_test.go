package memory_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/memory"
)

var epoch = time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC)

func fixed() time.Time { return epoch }

// words are commands, one a line, whose answers must be those of redis-server.
const words = `
GET s
SET s 1
GET s
get s
INCR s
INCR n
SET s 9223372036854775807
INCR s
SET s 01
INCR s
SETNX s 5
SETNX t 5
GET t
EXISTS s s t nothing
DEL s nothing
HSET h a 1 b two
HSET h a 2 c 3
HSET h a
HGET h a
HGET h z
HGET nothing a
HMGET h a z b
HMGET nothing a b
HGETALL nothing
HEXISTS h a
HEXISTS h z
HINCRBY h a 40
HINCRBY h a -50
HINCRBY h fresh -0
HINCRBY h fresh 007
HINCRBY h fresh +7
HINCRBY h b 1
HINCRBY h a 1.5
HINCRBY h max 9223372036854775807
HINCRBY h max 1
HINCRBY h min -9223372036854775808
HINCRBY h min -1
HDEL h a z
HDEL nothing a
HGET h b
HDEL h b c fresh max min
EXISTS h
LPUSH l a b c
RPUSH l d e
LRANGE l 0 -1
LRANGE l 1 2
LRANGE l -2 10
LRANGE l 3 1
LRANGE l x 1
LRANGE nothing 0 -1
LPOP l
LPOP l
LPOP l
LPOP l
LPOP l
LPOP l
EXISTS l
SADD m x y x
SADD m y z
SMEMBERS nothing
SREM m y q
SREM m x z
EXISTS m
ZADD z 1 a 2 b 2 aa 1764000000123 c
ZADD z 3 a 0.1 d 1 e
ZADD z x a
ZADD z 1 a 2
ZADD z inf top -inf bottom
ZSCORE z a
ZSCORE z d
ZSCORE z c
ZSCORE z top
ZSCORE z nothing
ZMSCORE z a nothing top
ZMSCORE nothing a b
ZCOUNT z -inf +inf
ZCOUNT z (1 2
ZCOUNT z x 2
ZCOUNT nothing 0 1
ZCARD z
ZCARD nothing
ZADD short 1 a 2 b 3 c
ZREMRANGEBYRANK short 0 -10001
ZREMRANGEBYRANK short 0 -3
ZRANGE short 0 -1
ZREMRANGEBYRANK nothing 0 -1
ZREMRANGEBYRANK short x 1
ZRANGE z 0 -1
ZRANGE z 0 -1 WITHSCORES
ZRANGE z 1 2
ZRANGE z -2 -1
ZRANGE z 5 1
ZRANGE z -100 100
ZRANGE nothing 0 -1
ZREVRANGE z 0 -1
ZREVRANGE z 1 3
ZRANGEBYSCORE z -inf +inf
ZRANGEBYSCORE z 1 2
ZRANGEBYSCORE z (1 2
ZRANGEBYSCORE z 1 (2
ZRANGEBYSCORE z (1 (2
ZRANGEBYSCORE z 1 3 WITHSCORES
ZRANGEBYSCORE z -inf +inf LIMIT 1 2
ZRANGEBYSCORE z -inf +inf LIMIT 0 0
ZRANGEBYSCORE z -inf +inf LIMIT 2 -1
ZRANGEBYSCORE z x 2
ZRANGEBYSCORE z 5 1
ZREM z a nothing
ZREM z aa b c d e top bottom
EXISTS z
XRANGE nothing - +
XRANGE nothing x +
SET wrong text
HGET wrong a
HSET wrong a 1
HINCRBY wrong a 1
HDEL wrong a
HEXISTS wrong a
HMGET wrong a
HGETALL wrong
LPUSH wrong a
LPOP wrong
RPUSH wrong a
LRANGE wrong 0 -1
SADD wrong a
SREM wrong a
SMEMBERS wrong
ZADD wrong 1 a
ZREM wrong a
ZSCORE wrong a
ZMSCORE wrong a
ZCARD wrong
ZREMRANGEBYRANK wrong 0 1
ZCOUNT wrong 0 1
ZRANGE wrong 0 -1
ZRANGEBYSCORE wrong 0 1
XADD wrong * a 1
XRANGE wrong - +
HSET hash a 1
GET hash
INCR hash
PING
HGET h
EVALSHA 0123456789012345678901234567890123456789 0
SCRIPT EXISTS 0123456789012345678901234567890123456789
NOSUCH command
EVAL return x
EVAL return 2 a
EVAL return -1
`

// scripts are Lua whose answers must be those of redis-server.
var scripts = []string{
	`return 1`, `return 1.9`, `return -1.9`, `return 'text'`, `return true`, `return false`, `return nil`,
	`return {1, 'two', {3, {'four'}}, false, 5}`, `return {1, nil, 3}`, `return {}`,
	`return {ok = 'FINE'}`, `return {err = 'MINE no'}`,
	`return redis.call('GET', 'nothing')`, `return redis.call('GET', 'nothing') == false`,
	`return type(redis.call('HGET', 'h', 'f'))`,
	`return redis.call('SET', 'k', 'v')`, `return redis.call('SET', 'k', 'v').ok`,
	`return redis.call('HINCRBY', 'h', 'f', 7) + 1`, `return type(redis.call('HINCRBY', 'h', 'f', 1))`,
	`redis.call('SET', 'f', 3); return redis.call('GET', 'f')`,
	`redis.call('SET', 'f', 3.5); return redis.call('GET', 'f')`,
	`redis.call('SET', 'f', 0.1); return redis.call('GET', 'f')`,
	`redis.call('SET', 'f', 1764000000123); return redis.call('GET', 'f')`,
	`redis.call('SET', 'f', 12345678901234567890); return redis.call('GET', 'f')`,
	`redis.call('SET', 'f', -1e30); return redis.call('GET', 'f')`,
	`return tostring(1764000000123)`, `return string.format('%.0f', 1764000000123)`, `return '' .. 0.1`,
	`return string.format('%.0f', -0.2)`, `return #KEYS .. '/' .. #ARGV`, `return {KEYS[1], ARGV[1], ARGV[2]}`,
	`local a, b = string.match('c:x total', '^(%S+) (%S+)$'); return {a, b}`,
	`local n = 0; for w in string.gmatch('a\nbb\nccc', '[^\n]+') do n = n + #w end; return n`,
	`return table.concat({'a', 'b'}, '\n')`, `return math.min(3, 2)`, `return tonumber('x') == nil`,
	`return {pcall(function() error('mine') end)}`,
	`redis.call('HSET', 'w', 'a', 1); return redis.pcall('GET', 'w').err ~= nil`,
	`return redis.call('HMGET', 'w', 'a', 'z')`, `return #redis.call('HMGET', 'w', 'a', 'z')`,
	`return redis.call('ZRANGE', 'nothing', 0, -1)`,
}

// failing are scripts that end in an error, with the word that it begins with.
var failing = map[string]string{
	`return redis.call('GET', 'w')`:       "WRONGTYPE",
	`return redis.call('HGET')`:           "ERR Wrong number of args",
	`return redis.call('NOSUCH')`:         "ERR Unknown Redis command",
	`return redis.call('SET', 'k', nil)`:  "ERR Lua redis lib command arguments must be strings or integers",
	`return redis.call('SET', 'k', true)`: "ERR Lua redis lib command arguments must be strings or integers",
	`return redis.call('EVAL', '1', 0)`:   "ERR This Redis command is not allowed from script",
	`fresh = 1`:                           "ERR ",
	`return fresh`:                        "ERR ",
	`error('mine')`:                       "ERR ",
	`return {`:                            "ERR Error compiling script",
	`return redis.call()`:                 "ERR Please specify at least one argument for this redis",
	`redis.call('SET', 'f', 'x'); return 1 + redis.call('GET', 'f')`: "ERR ",
}

func TestAnswersAreThoseOfRedis(t *testing.T) {
	t.Parallel()
	real, ours := redisServer(t), memory.New(fixed).Client()
	for _, line := range strings.Split(strings.TrimSpace(words), "\n") {
		var args []any
		for _, w := range strings.Fields(line) {
			args = append(args, w)
		}
		compare(t, line, real, ours, args)
	}
	for _, s := range scripts {
		compare(t, s, real, ours, []any{"eval", s, 1, "key", "one", "two"})
	}
	for s, want := range failing {
		for name, rdb := range map[string]redis.UniversalClient{"redis-server": real, "memory": ours} {
			err := rdb.Do(t.Context(), "eval", s, 0).Err()
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %s: %v, want %s…", name, s, err, want)
			}
		}
	}
	compare(t, "state", real, ours, []any{"hgetall", "w"})
}

func compare(t *testing.T, what string, real, ours redis.UniversalClient, args []any) {
	t.Helper()
	want, got := answer(real, args), answer(ours, args)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-redis +memory):\n%s", what, diff)
	}
}

func answer(rdb redis.UniversalClient, args []any) string {
	v, err := rdb.Do(context.Background(), args...).Result()
	if err != nil {
		return "error " + strings.TrimRight(err.Error(), " ")
	}
	return fmt.Sprintf("%T %v", v, v)
}

func redisServer(t *testing.T) redis.UniversalClient {
	t.Helper()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	opt, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	opt.Protocol = 2
	rdb := redis.NewClient(opt)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestTimeAndStreamIDsComeFromTheClock(t *testing.T) {
	t.Parallel()
	now := epoch
	rdb := memory.New(func() time.Time { return now }).Client()
	ctx := t.Context()
	if got, err := rdb.Time(ctx).Result(); err != nil || !got.Equal(epoch) {
		t.Errorf("time is %v, %v", got, err)
	}
	var ids []string
	for _, step := range []time.Duration{0, 0, time.Second, -time.Hour} {
		now = now.Add(step)
		id, err := rdb.XAdd(ctx, &redis.XAddArgs{Stream: "s", Values: []any{"f", len(ids)}}).Result()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	ms := epoch.UnixMilli()
	want := []string{fmt.Sprintf("%d-0", ms), fmt.Sprintf("%d-1", ms), fmt.Sprintf("%d-0", ms+1000), fmt.Sprintf("%d-1", ms+1000)}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	for bounds, n := range map[[2]string]int{
		{"-", "+"}: 4, {want[1], "+"}: 3, {"(" + want[1], "+"}: 2, {"-", "(" + want[2]}: 2,
		{fmt.Sprint(ms), fmt.Sprint(ms)}: 2, {"(" + want[3], "+"}: 0,
	} {
		rows, err := rdb.XRange(ctx, "s", bounds[0], bounds[1]).Result()
		if err != nil || len(rows) != n {
			t.Errorf("%v holds %d entries, want %d (%v)", bounds, len(rows), n, err)
		}
	}
	rows, err := rdb.XRangeN(ctx, "s", "-", "+", 1).Result()
	if err != nil || len(rows) != 1 || rows[0].Values["f"] != "0" {
		t.Errorf("first of the stream: %v %v", rows, err)
	}
}

// fillAll writes one key of each type.
func fillAll(t *testing.T, rdb redis.UniversalClient, word string) {
	t.Helper()
	ctx := t.Context()
	for _, err := range []error{
		rdb.Set(ctx, "string", word, 0).Err(), rdb.HSet(ctx, "hash", word, word).Err(), rdb.LPush(ctx, "list", word).Err(),
		rdb.SAdd(ctx, "set", word).Err(), rdb.ZAdd(ctx, "zset", redis.Z{Score: 1, Member: word}).Err(),
		rdb.XAdd(ctx, &redis.XAddArgs{Stream: "stream", Values: []any{word, word}}).Err(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func contents(t *testing.T, rdb redis.UniversalClient) string {
	t.Helper()
	ctx := t.Context()
	set := rdb.SMembers(ctx, "set").Val()
	sort.Strings(set)
	return fmt.Sprint(rdb.Get(ctx, "string").Val(), rdb.HGetAll(ctx, "hash").Val(), set,
		rdb.ZRangeWithScores(ctx, "zset", 0, -1).Val(), rdb.XRange(ctx, "stream", "-", "+").Val(),
		rdb.Exists(ctx, "string", "hash", "list", "set", "zset", "stream").Val())
}

func TestRestoreLosesWhatCameAfterTheSnapshot(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := memory.New(fixed)
	rdb := server.Client()
	empty := contents(t, rdb)
	server.Snapshot()
	fillAll(t, rdb, "a")
	server.Restore()
	if got := contents(t, rdb); got != empty {
		t.Errorf("after the first restore: %s", got)
	}
	fillAll(t, rdb, "b")
	kept := contents(t, rdb)
	server.Snapshot()
	for range 2 { // a restore twice over, for it must not spoil what it restores
		fillAll(t, rdb, "c")
		fillAll(t, rdb, "d")
		if got := contents(t, rdb); got == kept {
			t.Error("nothing was written")
		}
		server.Restore()
		if got := contents(t, rdb); got != kept {
			t.Errorf("restored\n%s, want\n%s", got, kept)
		}
	}
	if err := rdb.FlushDB(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	fillAll(t, rdb, "e")
	server.Restore()
	if got := contents(t, rdb); got != kept {
		t.Errorf("restored after a flush\n%s, want\n%s", got, kept)
	}
}

func TestAServerGoesBackToAnyOlderCopy(t *testing.T) {
	t.Parallel()
	server := memory.New(fixed)
	rdb := server.Client()
	empty := contents(t, rdb)
	fillAll(t, rdb, "a")
	first, early := contents(t, rdb), server.Backup()
	fillAll(t, rdb, "b")
	second, late := contents(t, rdb), server.Backup()
	started := rdb.Info(t.Context()).Val()
	for _, to := range []struct {
		backup *memory.Backup
		want   string
	}{{early, first}, {late, second}, {early, first}, {nil, empty}} {
		server.Load(to.backup)
		if got := contents(t, rdb); got != to.want {
			t.Errorf("it holds\n%s, want\n%s", got, to.want)
		}
		if now := rdb.Info(t.Context()).Val(); now == started {
			t.Error("it is the same server as before")
		}
		fillAll(t, rdb, "c") // what comes after must not reach into the copies
	}
}

func TestARestoreForgetsTheScripts(t *testing.T) {
	t.Parallel()
	server := memory.New(fixed)
	rdb := server.Client()
	s := redis.NewScript("return 1")
	if err := s.Load(t.Context(), rdb).Err(); err != nil {
		t.Fatal(err)
	}
	server.Restore()
	if err := s.EvalSha(t.Context(), rdb, nil).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOSCRIPT") {
		t.Errorf("evalsha after a restore: %v", err)
	}
	if n, err := s.Run(t.Context(), rdb, nil).Int(); n != 1 || err != nil {
		t.Errorf("run: %d %v", n, err)
	}
}

// lossy loses the answers of everything but PING.
type lossy struct{ redis.Hook }

var errLost = errors.New("lost")

func (lossy) DialHook(next redis.DialHook) redis.DialHook { return next }
func (lossy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() != "ping" {
			cmd.SetErr(errLost)
			return errLost
		}
		return err
	}
}
func (lossy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestAHookStandsBetweenAClientAndTheServer(t *testing.T) {
	t.Parallel()
	server := memory.New(fixed)
	rdb := server.Client(lossy{})
	if err := rdb.Set(t.Context(), "a", "1", 0).Err(); !errors.Is(err, errLost) {
		t.Errorf("set: %v", err)
	}
	if got, err := server.Client().Get(t.Context(), "a").Result(); got != "1" || err != nil {
		t.Errorf("the write whose answer was lost: %q %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Client().Set(ctx, "b", "1", 0).Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("set of a caller that left: %v", err)
	}
	if n := server.Client().Exists(t.Context(), "b").Val(); n != 0 {
		t.Error("a caller that left has written")
	}
}
