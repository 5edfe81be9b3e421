package executor_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// tally is what became of operations of one kind that were in doubt.
type tally struct{ doubtful, parked int }

// doubtRun is a fleet of jobs whose purchases fail in every way, while workers
// apply.
type doubtRun struct {
	*rig
	luck *rand.Rand
	// workers apply in each minute, over all jobs.
	workers int
	// declines is how many of a hundred applications are turned away, which
	// gives their seats back.
	declines int
	jobs     []int64
}

// fleet makes as many jobs with free seats, and the balance known.
func fleet(t *testing.T, jobs, workers int, seats sandbox.Seats, known executor.SeatsMean) *doubtRun {
	t.Helper()
	r := setup(t, sandbox.Config{Habits: sandbox.Habits{Seats: seats}, PageSize: 50, Balance: 100_000 * money.Dollar})
	r.spec.Items = nil
	for i := range jobs {
		r.spec.Items = append(r.spec.Items, campaigns.Item{Key: fmt.Sprintf("job-%02d", i)})
	}
	r.spec.Job.Seats = 60
	r.register()
	r.created()
	r.must(r.books.Remember(t.Context(), executor.FactSeats, string(known)))
	d := &doubtRun{rig: r, luck: rand.New(rand.NewPCG(7, uint64(jobs))), workers: workers}
	all, err := r.books.Jobs(t.Context(), r.spec.Name)
	r.must(err)
	for _, job := range all {
		d.jobs = append(d.jobs, job.ID)
	}
	return d
}

// minute lets a minute pass in which workers apply, and does what is due.
func (d *doubtRun) minute() {
	d.t.Helper()
	for range d.workers {
		job := d.jobs[d.luck.IntN(len(d.jobs))]
		ids, _ := d.box.AddApplications(job, 1) // a job that is full lets nobody in
		if len(ids) == 1 && d.luck.IntN(100) < d.declines {
			d.must(d.box.RateApplication(ids[0], sandbox.AppDeclined, "no"))
		}
	}
	d.clock.advance(time.Minute)
	d.box.Tick()
	now := d.clock.now()
	sending, err := d.books.Open(d.t.Context(), planner.Sending, now, 1000)
	d.must(err)
	due, err := d.books.Open(d.t.Context(), planner.Queued, now, 1000)
	d.must(err)
	doubtful, err := d.books.Open(d.t.Context(), planner.Unknown, now, 1000)
	d.must(err)
	due = append(due, doubtful...)
	_, err = d.exec.Abandoned(d.t.Context(), sending)
	d.must(err)
	_, err = d.exec.Perform(d.t.Context(), due)
	d.must(err)
}

// finish lets time pass until nothing moves any more.
func (d *doubtRun) finish() {
	d.t.Helper()
	for range 200 {
		if len(d.open()) == 0 {
			return
		}
		d.minute()
	}
	for _, op := range d.open() {
		d.t.Errorf("%s is still %s: %s", op.ID, op.State, op.Error)
	}
}

// tallies counts what was in doubt, by kind.
func (d *doubtRun) tallies() map[planner.Kind]tally {
	d.t.Helper()
	all, err := d.books.Ops(d.t.Context(), journal.Filter{})
	d.must(err)
	out := map[planner.Kind]tally{}
	for _, op := range all {
		n := out[op.Kind]
		for _, e := range op.History() {
			if e.State == planner.Unknown {
				n.doubtful++
				break
			}
		}
		if op.State == planner.Parked {
			n.parked++
			d.t.Logf("parked: %s: %s", op.ID, op.Error)
		}
		out[op.Kind] = n
	}
	return out
}

// honest checks that no verdict was wrong: every job has the seats that the
// books say, but for what waits for a person.
func (d *doubtRun) honest() {
	d.t.Helper()
	open := map[int64]bool{}
	all, err := d.books.Ops(d.t.Context(), journal.Filter{State: planner.Parked})
	d.must(err)
	for _, op := range all {
		open[op.JobID] = true
	}
	for _, job := range d.box.Books().Jobs {
		if !open[job.JobID] {
			d.agreeOn(d.t.Context(), job)
		}
	}
}

const wrongs = "drop_after=0.06,%[1]s:drop_before=0.06,%[1]s:500_before=0.05,%[1]s:500_after=0.05,%[1]s:late(90s)=0.05,%[1]s:truncated_after=0.03"

func TestFewAdditionsInDoubtAreLeftToAPerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seats sandbox.Seats
		known executor.SeatsMean
		// buys is how many seats each addition has. Few are hard to tell from
		// those that workers take.
		buys     int
		declines int
		// most is how many of a hundred in doubt may be parked.
		most int
	}{
		"all seats are counted":                  {sandbox.SeatsTotal, executor.SeatsAreTotal, 20, 0, 0},
		"all seats are counted, few bought":      {sandbox.SeatsTotal, executor.SeatsAreTotal, 3, 0, 0},
		"seats left are counted":                 {sandbox.SeatsRemaining, executor.SeatsAreLeft, 20, 0, 5},
		"seats left are counted, few bought":     {sandbox.SeatsRemaining, executor.SeatsAreLeft, 3, 0, 5},
		"seats left are counted, many declined":  {sandbox.SeatsRemaining, executor.SeatsAreLeft, 20, 10, 5},
		"what is counted is to be learned: all":  {sandbox.SeatsTotal, "", 20, 0, 5},
		"what is counted is to be learned: left": {sandbox.SeatsRemaining, "", 20, 0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := fleet(t, 20, min(30, 4*c.buys), c.seats, c.known)
			d.declines, d.spec.Actions[1].Seats = c.declines, c.buys
			d.register()
			d.faults(fmt.Sprintf("%[1]s:"+wrongs, "add_seats"))
			for range 13 {
				d.occurrence("add_seats")
				for range 5 {
					d.minute()
				}
			}
			d.faults("")
			d.finish()
			got := d.tallies()[planner.AddSeats]
			t.Logf("%d in doubt, %d parked", got.doubtful, got.parked)
			if got.doubtful < 50 {
				t.Errorf("only %d were in doubt, so this tells little", got.doubtful)
			}
			if got.parked*100 > c.most*got.doubtful {
				t.Errorf("%d of %d were left to a person, want at most %d %%", got.parked, got.doubtful, c.most)
			}
			d.honest()
		})
	}
}
