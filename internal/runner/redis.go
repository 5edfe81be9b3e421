package runner

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/doctor"
)

// checkRedis refuses a Redis that may lose the books. Where no real money is at
// stake it only warns of one that keeps nothing on disk.
func checkRedis(ctx context.Context, rdb redis.UniversalClient, play bool, now func() time.Time, log *slog.Logger) error {
	var errs []error
	for _, f := range doctor.Redis(ctx, rdb, play, now) {
		switch f.Level {
		case doctor.Error:
			errs = append(errs, errors.New(f.String()))
		case doctor.Warning:
			log.WarnContext(ctx, f.Message, "subject", f.Subject, "advice", f.Advice)
		}
	}
	return errors.Join(errs...)
}
