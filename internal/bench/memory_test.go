package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// BenchmarkMemory measures what Redis keeps of an operation that is done, with
// its history, its indexes and, for a create, its job and its line in the ledger.
func BenchmarkMemory(b *testing.B) {
	const n = 10_000
	r := setup(b, 0)
	ctx := context.Background()
	for b.Loop() {
		must(b, r.once.FlushAll(ctx).Err())
		j, err := journal.Open(r.once)
		must(b, err)
		c := campaign(n)
		must(b, j.Register(ctx, time.Now(), c))
		var ratings []planner.Operation
		for _, id := range applications(b, r, n) {
			ratings = append(ratings, planner.OnApplication("bench", "rate", "0", 1, planner.Rating{
				ApplicationID: id, Verdict: campaigns.Approve, Proof: "00000000",
			}, time.Now()))
		}
		empty := used(b, r)
		ours(b, r, j, planner.Expand(c, &c.Actions[0], time.Now().Truncate(time.Second), nil))
		created := used(b, r)
		ours(b, r, j, ratings)
		rated := used(b, r)
		b.ReportMetric(float64(created-empty)/n, "B/create")
		b.ReportMetric(float64(rated-created)/n, "B/rating")
		fmt.Printf("%-18s %d B a create, %d B a rating\n", "memory", (created-empty)/n, (rated-created)/n)
	}
}

// used is the memory that Redis uses for its data, in bytes.
func used(b *testing.B, r *rig) int64 {
	b.Helper()
	info, err := r.once.Info(context.Background(), "memory").Result()
	must(b, err)
	for line := range strings.Lines(info) {
		if text, found := strings.CutPrefix(strings.TrimSpace(line), "used_memory_dataset:"); found {
			size, err := strconv.ParseInt(text, 10, 64)
			must(b, err)
			return size
		}
	}
	b.Fatal("redis tells no used_memory_dataset")
	return 0
}
