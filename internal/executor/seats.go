package executor

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// prepareAddSeats reads the job as it is before, and finds the price of the seats.
func prepareAddSeats(ctx context.Context, e *Executor, op *journal.Op, _ *journal.Spec) (*call, error) {
	job, err := e.ownJob(ctx, op)
	if err != nil {
		return nil, err
	}
	if job.Status == api.JobFinished {
		return nil, skip("job %d is finished: only a resume buys seats for it", op.JobID)
	}
	seats := op.Seats
	if op.UpTo > 0 {
		if seats, err = e.gap(ctx, op, job); err != nil {
			return nil, err
		}
	}
	cost, shape, err := e.seatCost(ctx, job, seats)
	if err != nil {
		return nil, err
	}
	return &call{
		amount: cost, quote: &cost, shape: shape, evidence: &evidence{Seats: seats, Job: shoot(job)},
		send: func(ctx context.Context) (effect, error) {
			r, err := e.Market.AddSeats(ctx, op.JobID, seats)
			return effect{cost: &r.Cost, jobID: op.JobID, seats: seats, note: fmt.Sprintf("%d seats", seats)}, err
		},
	}, nil
}

// gap is how many seats a job lacks of its target, by what was bought. Part of
// it is bought where the budget has no room for all.
func (e *Executor) gap(ctx context.Context, op *journal.Op, seen api.Job) (int, error) {
	job, err := e.Journal.Job(ctx, op.JobID)
	if err != nil {
		return 0, err
	}
	gap := op.UpTo - job.Seats
	if gap <= 0 {
		return 0, skip("job %d has %d seats already", op.JobID, job.Seats)
	}
	sp := e.specs.Get(op.Campaign)
	if sp == nil {
		return gap, nil
	}
	wanted := gap
	for _, l := range journal.Limits(sp.Spec, e.Now()) {
		if l.Cap < 0 {
			continue
		}
		b, err := e.Journal.Budget(ctx, l)
		if err != nil {
			return 0, err
		}
		if gap, err = e.fitting(ctx, seen, gap, b.Headroom()); err != nil {
			return 0, err
		}
	}
	if gap == 0 {
		return 0, skip("not one more seat of job %d fits into the budget", op.JobID)
	}
	if gap < wanted {
		e.Log.InfoContext(ctx, "only a part fits into the budget", "op", op.ID, "seats", gap, "wanted", wanted)
	}
	return gap, nil
}

// fitting is the largest number of seats, up to most, that costs no more than
// room. It asks for a few prices instead of reckoning one.
func (e *Executor) fitting(ctx context.Context, job api.Job, most int, room money.USD) (int, error) {
	for seats := most; seats > 0; {
		cost, _, err := e.seatCost(ctx, job, seats)
		if err != nil {
			return 0, err
		}
		if cost <= room {
			return seats, nil
		}
		seats = min(seats-1, int(int64(seats)*int64(room)/int64(cost)))
	}
	return 0, nil
}

// seatCost asks what seats of an existing job cost. The marketplace quotes new
// jobs only, so it is asked for a job of the same kind with that many seats;
// what such a purchase did cost is kept under the same shape afterwards.
func (e *Executor) seatCost(ctx context.Context, job api.Job, seats int) (money.USD, string, error) {
	return e.quoteLike(ctx, job, seats, api.ResumeRequest{})
}

func (e *Executor) quoteLike(ctx context.Context, job api.Job, seats int, flags api.ResumeRequest) (money.USD, string, error) {
	like := api.NewJob{
		Title: job.Title, Price: job.Price, Seats: seats, CategoryID: job.Category, Minutes: max(job.Minutes, 1),
		Steps: withoutMarkers(job.Steps), Proof: job.Proof, SendTweet: flags.SendTweet, HideSearchEngines: flags.HideSearchEngines,
	}
	like.CountryIDs = countriesOf(job)
	like.International = len(like.CountryIDs) == 0
	shape := "seats:" + Shape(like)
	cost, known, err := e.Journal.Quote(ctx, shape)
	if err != nil || known {
		return cost, shape, err
	}
	got, err := e.quotes.quote(ctx, "", "", like)
	if err != nil {
		return 0, "", err
	}
	if got.jobID != 0 {
		return 0, "", e.undoQuote(ctx, like, got)
	}
	return got.cost, shape, nil
}

// countriesOf are the ids of a job's countries; a job for everyone, or for a
// team, has none.
func countriesOf(job api.Job) []int64 {
	var ids []int64
	for part := range strings.SplitSeq(job.Country, ",") {
		if id, numeric := number(strings.TrimSpace(part)); numeric && id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// prepareResume reads the finished job and finds the price of its new seats.
func prepareResume(ctx context.Context, e *Executor, op *journal.Op, sp *journal.Spec) (*call, error) {
	job, err := e.ownJob(ctx, op)
	if err != nil {
		return nil, err
	}
	if job.Status == api.JobOnline {
		return nil, skip("job %d is online already", op.JobID)
	}
	req := api.ResumeRequest{Seats: op.Seats}
	if sp != nil && sp.Spec.Job != nil {
		req.HideSearchEngines = sp.Spec.Job.Hidden
	}
	cost, shape, err := e.quoteLike(ctx, job, op.Seats, req)
	if err != nil {
		return nil, err
	}
	return &call{
		amount: cost, quote: &cost, shape: shape, evidence: &evidence{Seats: op.Seats, Job: shoot(job)},
		send: func(ctx context.Context) (effect, error) {
			r, err := e.Market.ResumeJob(ctx, op.JobID, req)
			return effect{
				cost: &r.Cost, jobID: op.JobID, seats: op.Seats - e.surplus(ctx, op, job.Applications),
				note: fmt.Sprintf("%d seats", op.Seats),
			}, err
		},
	}, nil
}

// SeatsMean is what the marketplace's number of seats counts.
type SeatsMean string

// What the number may count.
const (
	// SeatsAreTotal: all seats that were ever bought.
	SeatsAreTotal SeatsMean = "total"
	// SeatsAreLeft: the seats that nobody has taken yet.
	SeatsAreLeft SeatsMean = "left"
)

// verifyAddSeats compares the job's seats before and after. What the number
// counts is not documented: where it is not known yet, both readings must agree.
func verifyAddSeats(ctx context.Context, e *Executor, op *journal.Op, ev evidence) (verdict, error) {
	if ev.Job == nil {
		return verdict{finding: undecided, why: "nothing was read before the call"}, nil
	}
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return verdict{}, err
	}
	known, err := e.Journal.Recall(ctx, FactSeats)
	if err != nil {
		return verdict{}, err
	}
	f, why := judgeSeats(*ev.Job, *shoot(job), ev.Seats, SeatsMean(known))
	if f == undecided && SeatsMean(known) == SeatsAreLeft {
		if f, err = e.noneCameBack(ctx, op, *ev.Job, *shoot(job), ev.Seats); err != nil {
			return verdict{}, err
		}
		if f == done {
			why += "; too few workers were ever turned away for their seats to explain it"
		}
	}
	return seatVerdict(op, job, ev, f, why), nil
}

// noneCameBack settles where seats are left that new workers did not take:
// either they were bought, or they came back from workers who were turned away.
// Where fewer than so many ever were, they were bought.
func (e *Executor) noneCameBack(ctx context.Context, op *journal.Op, before, after jobShot, n int) (finding, error) {
	extra := after.Avail - before.Avail + max(0, after.Applications-before.Applications)
	if extra < n {
		return undecided, nil
	}
	away, err := TurnedAway(ctx, e.Market, op.JobID, extra)
	if err != nil || away >= extra {
		return undecided, err
	}
	return done, nil
}

// applications is where a job's applications are read.
type applications interface {
	AllApplications(ctx context.Context, job int64, status api.ApplicationStatus) iter.Seq2[api.Application, error]
}

// TurnedAway counts the workers of a job who were ever turned away, and no further
// than to most. Where a decline opens a seat again, theirs may have been.
func TurnedAway(ctx context.Context, market applications, job int64, most int) (int, error) {
	away := 0
	for _, status := range []api.ApplicationStatus{api.Declined, api.NotCompleted} {
		for _, err := range market.AllApplications(ctx, job, status) {
			if err != nil || away == most {
				return away, err
			}
			away++
		}
	}
	return away, nil
}

// MeaningOf tells what a job's number of seats counts, by what our books say of
// it: "" where both fit, neither does, or something is under way on the job.
func MeaningOf(own *journal.Job, job api.Job) SeatsMean {
	if own.Slot.IsZero() || own.Lane != "" || Foreign(own, job) || job.Status != api.JobOnline || job.Applications == 0 {
		return ""
	}
	switch job.Seats {
	case own.Seats:
		return SeatsAreTotal
	case own.Seats - job.Applications:
		return SeatsAreLeft
	}
	return ""
}

// learnSeats keeps what a job's number of seats counts, once a job tells.
func (e *Executor) learnSeats(ctx context.Context, own *journal.Job, job api.Job) {
	mean := MeaningOf(own, job)
	if mean == "" || e.learned.Load() {
		return
	}
	known, err := e.Journal.Recall(ctx, FactSeats)
	if err == nil && known == "" {
		err = e.Journal.Remember(ctx, FactSeats, string(mean))
	}
	if err != nil {
		e.Log.WarnContext(ctx, "what the number of seats counts could not be learned", "err", err)
		return
	}
	e.learned.Store(true)
}

// FactSeats is the name under which the journal remembers a SeatsMean.
const FactSeats = "seats"

func seatVerdict(op *journal.Op, job api.Job, ev evidence, f finding, why string) verdict {
	v := verdict{finding: f, why: why, shot: shoot(job)}
	if f == done || f == undecided {
		v.eff = effect{cost: same(op.Reserved), jobID: op.JobID, seats: ev.Seats, note: why}
	}
	return v
}

// judgeSeats decides whether n seats were added between two looks at a job.
//
// As a total the number rises by n exactly. As what is left it rises by n less
// the seats taken meanwhile; a worker who was declined may free a seat again,
// so k new applications leave it between n-k and n.
func judgeSeats(before, after jobShot, n int, known SeatsMean) (finding, string) {
	total := judgeTotal(before, after, n)
	left := judgeLeft(before, after, n)
	text := fmt.Sprintf("seats went from %d to %d, applications from %d to %d",
		before.Avail, after.Avail, before.Applications, after.Applications)
	switch known {
	case SeatsAreTotal:
		return total, text
	case SeatsAreLeft:
		return left, text
	}
	if total == left {
		return total, text
	}
	return undecided, text + "; whether the seats are all or those left is not known yet"
}

func judgeTotal(before, after jobShot, n int) finding {
	switch after.Avail - before.Avail {
	case n:
		return done
	case 0:
		return notDone
	}
	return undecided
}

func judgeLeft(before, after jobShot, n int) finding {
	k := max(0, after.Applications-before.Applications)
	rise := after.Avail - before.Avail
	// The end of a job leaves no seats, however many there were. It tells something
	// only where just those were taken that had been left.
	if after.Status == api.JobFinished && before.Status != api.JobFinished && k != before.Avail {
		return undecided
	}
	asDone := rise <= n && rise >= n-k
	asNot := rise <= 0 && rise >= -k
	switch {
	case asDone && !asNot:
		return done
	case asNot && !asDone:
		return notDone
	}
	return undecided
}

// verifyResume looks whether the job is online again, or was and is full.
func verifyResume(ctx context.Context, e *Executor, op *journal.Op, ev evidence) (verdict, error) {
	if ev.Job == nil {
		return verdict{finding: undecided, why: "nothing was read before the call"}, nil
	}
	job, err := e.Market.Job(ctx, op.JobID)
	if err != nil {
		return verdict{}, err
	}
	v := judgeResume(op, job, ev)
	v.eff.seats -= e.surplus(ctx, op, ev.Job.Applications)
	return v, nil
}

func judgeResume(op *journal.Op, job api.Job, ev evidence) verdict {
	switch {
	case job.Status != api.JobFinished:
		return seatVerdict(op, job, ev, done, "the job is online again")
	case job.Applications > ev.Job.Applications:
		return seatVerdict(op, job, ev, done, "workers applied since: it was online again")
	case job.Seats != ev.Job.Avail:
		return seatVerdict(op, job, ev, undecided, "the job is finished, but its seats changed")
	}
	return seatVerdict(op, job, ev, notDone, "the job is finished as before")
}

// surplus is how many seats our books hold for a job beyond those that were
// taken: the end of a job gives the others back.
func (e *Executor) surplus(ctx context.Context, op *journal.Op, taken int) int {
	own, err := e.Journal.Job(ctx, op.JobID)
	if err != nil {
		return 0
	}
	return max(0, own.Seats-taken)
}
