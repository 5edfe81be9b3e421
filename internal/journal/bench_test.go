package journal_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/campaign-runner/campaign-runner/internal/memory"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// BenchmarkLifeOfAnOperation writes a create, lets it through, and settles it
// with its cost: three scripts and the reads of an operation between them.
func BenchmarkLifeOfAnOperation(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) *store{
		"memory":    func(b *testing.B) *store { return newStoreOn(b, memory.New(time.Now).Client()) },
		"miniredis": func(b *testing.B) *store { return newStore(b, "redis://"+miniredis.RunT(b).Addr()) },
	} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			limits := capped("1000000")
			job := int64(0)
			for b.Loop() {
				job++
				op := s.begun(s.queued(operation(planner.Create, s.word(), 0)), "0.5", limits)
				s.ended(op, planner.Applied, costs("0.5", job), makes(10))
			}
		})
	}
}
