package executor_test

import (
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// Where a decline opens a seat again, a pause gives more back than the seats that
// nobody applied for.
func TestAPauseGivesTheSeatsOfDeclinedWorkersBack(t *testing.T) {
	t.Parallel()
	for name, seats := range map[string]sandbox.Seats{"left": sandbox.SeatsRemaining, "total": sandbox.SeatsTotal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t, sandbox.Config{DeclineFreesSeat: true, Habits: sandbox.Habits{Seats: seats}})
			r.spec.Items = r.spec.Items[:1]
			r.register()
			job := r.created()
			r.must(r.books.Remember(t.Context(), executor.FactSeats, name))
			ids, err := r.box.AddApplications(job, 6)
			r.must(err)
			for _, id := range ids[:3] {
				r.must(r.box.RateApplication(id, sandbox.AppDeclined, "Not what was asked."))
			}
			r.clock.advance(time.Minute)
			pause := r.occurrence("pause")
			r.settle()
			r.want(pause[0], planner.Applied)
			theirs := r.box.Books()
			if back, want := theirs.Jobs[0].Returned, int64(7); back != want {
				t.Fatalf("the marketplace gave %d seats back, want %d", back, want)
			}
			r.equal("the balance by the books", mustAccount(r).Expected(), theirs.Balance)
			r.agree()
		})
	}
}
