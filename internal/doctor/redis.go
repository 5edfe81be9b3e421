package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis looks at a Redis that answers. play tells that no real money depends on
// it: then one that forgets is only warned of.
func Redis(ctx context.Context, rdb redis.UniversalClient, play bool, now func() time.Time) []Finding {
	text, err := rdb.Info(ctx).Result()
	if err != nil {
		return []Finding{warning("redis", "let this user run INFO", "it does not tell about itself, so it is not checked: %v", err)}
	}
	info := parseInfo(text)
	found := []Finding{
		version(info), eviction(ctx, rdb, info, play), persistence(ctx, rdb, info, play), memory(info), clock(ctx, rdb, now),
	}
	if n := info["connected_slaves"]; n != "" && n != "0" {
		found = append(found, replicas(ctx, rdb, n))
	}
	return found
}

// parseInfo reads the lines of INFO.
func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[name] = value
		}
	}
	return info
}

// setting is a setting of the server; "" where it does not tell.
func setting(ctx context.Context, rdb redis.UniversalClient, name string) string {
	got, err := rdb.ConfigGet(ctx, name).Result()
	if err != nil {
		return ""
	}
	return got[name]
}

// leastVersion has the commands that the journal and the queue use.
var leastVersion = [2]int{6, 2}

func version(info map[string]string) Finding {
	text := info["redis_version"]
	major, rest, _ := strings.Cut(text, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	switch {
	case err1 != nil || err2 != nil:
		return warning("redis version", "make sure that it is 6.2 or later", "it does not tell its version")
	case a < leastVersion[0], a == leastVersion[0] && b < leastVersion[1]:
		return wrong("redis version", "install 6.2 or later", "redis %s is too old", text)
	}
	return ok("redis version", "redis %s", text)
}

func eviction(ctx context.Context, rdb redis.UniversalClient, info map[string]string, play bool) Finding {
	policy := setting(ctx, rdb, "maxmemory-policy")
	if policy == "" {
		policy = info["maxmemory_policy"]
	}
	const advice = "run `CONFIG SET maxmemory-policy noeviction` and put it into redis.conf"
	switch {
	case policy == "":
		return warning("redis eviction", "make sure that maxmemory-policy is noeviction", "it does not tell what it does when memory runs out")
	case policy == "noeviction":
		return ok("redis eviction", "nothing is thrown away")
	case strings.HasPrefix(policy, "volatile-") && play:
		return warning("redis eviction", advice, "redis may throw locks away (maxmemory-policy %s)", policy)
	case strings.HasPrefix(policy, "volatile-"):
		return wrong("redis eviction", advice, "redis may throw away what runners agree by (maxmemory-policy %s)", policy)
	}
	return wrong("redis eviction", advice, "redis may throw the books away (maxmemory-policy %s)", policy)
}

func persistence(ctx context.Context, rdb redis.UniversalClient, info map[string]string, play bool) Finding {
	const subject = "redis persistence"
	const advice = "run `CONFIG SET appendonly yes` and `CONFIG SET appendfsync always`, and put both into redis.conf"
	kept := setting(ctx, rdb, "appendonly") == "yes" || info["aof_enabled"] == "1"
	fsync := setting(ctx, rdb, "appendfsync")
	switch {
	case info["aof_enabled"] == "" && !kept:
		return warning(subject, "make sure that it keeps an append-only file", "it does not tell what it keeps on disk")
	case !kept && play:
		return warning(subject, advice, "redis keeps no append-only file; that will do for a marketplace on this machine only")
	case !kept:
		return wrong(subject, advice, "redis keeps no append-only file, so a crash would lose what was spent")
	case info["aof_last_write_status"] == "err":
		return wrong(subject, "make room on its disk", "redis could not write its append-only file")
	case fsync == "":
		return warning(subject, "make sure that appendfsync is always", "it keeps an append-only file, and does not tell how often it is flushed")
	case fsync != "always":
		return warning(subject, "run `CONFIG SET appendfsync always`", "redis may lose the last second in a power cut (appendfsync %s)", fsync)
	}
	return ok(subject, "every write is on disk before it is answered")
}

// replicas looks whether a master that lost its replicas goes on: beside one that
// took its place it would let the same operation through.
func replicas(ctx context.Context, rdb redis.UniversalClient, n string) Finding {
	const subject = "redis replicas"
	const advice = "run `CONFIG SET min-replicas-to-write 1` and `CONFIG SET min-replicas-max-lag 10`, and put both into redis.conf"
	switch least := setting(ctx, rdb, "min-replicas-to-write"); least {
	case "":
		return warning(subject, "make sure that min-replicas-to-write is 1 at least", "it has %s, and does not tell whether it writes without them", n)
	case "0":
		return warning(subject, advice, "redis goes on writing when it has lost its replicas (%s at present), beside a new master", n)
	}
	return ok(subject, "without its replicas redis takes no writes (%s at present)", n)
}

// Shares of the memory limit, in percent.
const (
	muchMemory = 80
	fullMemory = 95
)

func memory(info map[string]string) Finding {
	const subject, advice = "redis memory", "raise maxmemory: without room nothing can be begun"
	used, err1 := strconv.ParseInt(info["used_memory"], 10, 64)
	most, err2 := strconv.ParseInt(info["maxmemory"], 10, 64)
	switch {
	case err1 != nil || err2 != nil:
		return warning(subject, "", "it does not tell how much memory it uses")
	case most == 0:
		return ok(subject, "%s in use, without a limit of its own", bytes(used))
	}
	percent := used * 100 / most
	text := fmt.Sprintf("%s of %s in use (%d %%)", bytes(used), bytes(most), percent)
	switch {
	case percent >= fullMemory:
		return wrong(subject, advice, "%s", text)
	case percent >= muchMemory:
		return warning(subject, advice, "%s", text)
	}
	return ok(subject, "%s", text)
}

func bytes(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// Differences of clocks.
const (
	slightlyOff = 2 * time.Second
	farOff      = 30 * time.Second
)

func clock(ctx context.Context, rdb redis.UniversalClient, now func() time.Time) Finding {
	before := now()
	there, err := rdb.Time(ctx).Result()
	if err != nil {
		return warning("redis clock", "", "it does not tell the time: %v", err)
	}
	return compareClocks("redis clock", there, before, now(), 0)
}

// compareClocks compares a clock that was read between two looks at ours. grain
// is how coarsely it tells the time.
func compareClocks(subject string, there, before, after time.Time, grain time.Duration) Finding {
	off := time.Duration(0)
	switch {
	case there.Before(before.Add(-grain)):
		off = before.Sub(there)
	case there.After(after.Add(grain)):
		off = there.Sub(after)
	}
	const advice = "set both clocks by a time server"
	switch {
	case off >= farOff:
		return wrong(subject, advice, "it differs from ours by %s", off.Round(time.Second))
	case off >= slightlyOff:
		return warning(subject, advice, "it differs from ours by %s", off.Round(100*time.Millisecond))
	}
	return ok(subject, "it agrees with ours")
}
