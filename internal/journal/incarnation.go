package journal

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Incarnation names the running Redis server that holds the journal: each start
// and each fail-over gives it another name. It is "" where Redis does not tell,
// as one within this process does not.
func (j *Journal) Incarnation(ctx context.Context) (string, error) {
	var node interface {
		Info(ctx context.Context, sections ...string) *redis.StringCmd
	} = j.rdb
	if cluster, ok := j.rdb.(*redis.ClusterClient); ok {
		master, err := cluster.MasterForKey(ctx, string(j.keys))
		if err != nil {
			return "", fmt.Errorf("journal: %w", err)
		}
		node = master
	}
	info, err := node.Info(ctx).Result()
	if err != nil {
		return "", fmt.Errorf("journal: which Redis is it: %w", err)
	}
	return IncarnationOf(info), nil
}

// IncarnationOf reads the name from an answer to INFO. The replication id is
// part of it: a server that was a replica for a while keeps its run id, and not
// its data.
func IncarnationOf(info string) string {
	var run, repl string
	for line := range strings.Lines(info) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "run_id:"); ok {
			run = v
		}
		if v, ok := strings.CutPrefix(line, "master_replid:"); ok {
			repl = v
		}
	}
	if run == "" {
		return ""
	}
	return run + "." + repl
}
