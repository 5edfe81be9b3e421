package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"
)

// checkRedis refuses a Redis that may lose the books. Where no real money is at
// stake it only warns of one that keeps nothing on disk.
func checkRedis(ctx context.Context, rdb redis.UniversalClient, play bool, log *slog.Logger) error {
	conf := map[string]string{}
	for _, name := range []string{"maxmemory-policy", "appendonly", "appendfsync", "save"} {
		got, err := rdb.ConfigGet(ctx, name).Result()
		if err != nil {
			log.WarnContext(ctx, "redis does not tell its settings, so they are not checked", "setting", name, "err", err)
			return nil
		}
		conf[name] = got[name]
	}
	if strings.HasPrefix(conf["maxmemory-policy"], "allkeys-") {
		return fmt.Errorf("redis may throw the books away (maxmemory-policy %s): run `CONFIG SET maxmemory-policy noeviction` and put it into redis.conf", conf["maxmemory-policy"])
	}
	if conf["appendonly"] != "yes" {
		if !play {
			return errors.New("redis keeps no append-only file, so a crash would lose what was spent: run `CONFIG SET appendonly yes` and `CONFIG SET appendfsync always`, and put both into redis.conf")
		}
		log.WarnContext(ctx, "redis keeps no append-only file; that will do for a marketplace on this machine only")
		return nil
	}
	if conf["appendfsync"] != "always" {
		log.WarnContext(ctx, "redis may lose the last second in a power cut", "appendfsync", conf["appendfsync"], "advice", "CONFIG SET appendfsync always")
	}
	return nil
}
