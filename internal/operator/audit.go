package operator

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Audit is the books against the marketplace.
type Audit struct {
	// BalanceExpected is what the account should hold by the books, in USD; nil
	// before the books were anchored. Drift is the actual balance less that.
	BalanceExpected *money.USD `json:"balance_expected"`
	BalanceActual   money.USD  `json:"balance_actual"`
	Drift           *money.USD `json:"drift"`
	// Moving is money that is on its way or in doubt, in USD: by so much the
	// balance may be below the books for good reasons.
	Moving          money.USD        `json:"moving"`
	Duplicates      []Duplicate      `json:"duplicates"`
	SeatDifferences []SeatDifference `json:"seat_differences"`
	Unowned         []Unowned        `json:"unowned"`
	Misplaced       []Misplaced      `json:"misplaced"`
	Missing         []Missing        `json:"missing"`
}

// Misplaced is a job that is not the one which its create made: the create was
// told of a wrong one.
type Misplaced struct {
	// JobID is the job in the books, Op the create that is said to have made it.
	JobID int64  `json:"job_id"`
	Op    string `json:"op"`
	// Marker is what the books expect on it, and Found what it carries; "" for none.
	Marker string `json:"marker"`
	Found  string `json:"found"`
	// Right is the job that carries Marker; 0 where none does.
	Right int64 `json:"right"`
	// Mended tells that the books were corrected.
	Mended bool `json:"mended"`
}

// Missing is a job of ours that the marketplace does not know any more.
type Missing struct {
	JobID    int64  `json:"job_id"`
	Campaign string `json:"campaign"`
	Item     string `json:"item"`
}

// Duplicate is one marker that several jobs carry.
type Duplicate struct {
	Marker string `json:"marker"`
	// Jobs are their ids, the oldest first.
	Jobs []int64 `json:"jobs"`
	// Kept is the job that keeps its place; 0 where the books have none of them.
	Kept int64 `json:"kept"`
	// Paused are those that are being paused.
	Paused []int64 `json:"paused"`
}

// SeatDifference is a job whose seats are not what was bought.
type SeatDifference struct {
	JobID    int64  `json:"job_id"`
	Campaign string `json:"campaign"`
	Item     string `json:"item"`
	Expected int    `json:"expected"`
	Actual   int    `json:"actual"`
}

// Unowned is a job with our marker that no campaign owns.
type Unowned struct {
	JobID  int64  `json:"job_id"`
	Title  string `json:"title"`
	Marker string `json:"marker"`
	// Op is the create that the marker tells of, and State its state; "" where
	// no campaign explains it.
	Op    string        `json:"op"`
	State planner.State `json:"state"`
}

// Clean tells whether the books and the marketplace agree.
func (a *Audit) Clean() bool {
	return !a.drifted() &&
		len(a.Duplicates)+len(a.SeatDifferences)+len(a.Unowned)+len(a.Misplaced)+len(a.Missing) == 0
}

// Findings counts what was found, by kind.
func (a *Audit) Findings() map[string]int {
	drift := 0
	if a.drifted() {
		drift = 1
	}
	return map[string]int{
		"drift": drift, "duplicate": len(a.Duplicates), "seats": len(a.SeatDifferences),
		"unowned": len(a.Unowned), "misplaced": len(a.Misplaced), "missing": len(a.Missing),
	}
}

// drifted tells whether the balance differs by more than what is on its way.
func (a *Audit) drifted() bool {
	return a.Drift != nil && (*a.Drift > 0 || *a.Drift < -a.Moving)
}

// survey is the marketplace's jobs beside the books.
type survey struct {
	listed map[int64]api.Job
	// byMarker holds the ids of jobs, the oldest first.
	byMarker map[string][]int64
	// questions are jobs that were made of questions for a price.
	questions []int64
	// before and owned are our jobs before and after the list was read: what
	// happened meanwhile proves nothing.
	before, owned map[int64]*journal.Job
	mean          executor.SeatsMean
	// vague are jobs whose seats differ since a refund was estimated, and what is
	// the nearest number that a look at them allows.
	vague []SeatDifference
}

// survey reads every job of the account.
func (o *Operator) survey(ctx context.Context) (*survey, error) {
	s := &survey{listed: map[int64]api.Job{}, byMarker: map[string][]int64{}}
	fact, err := o.Journal.Recall(ctx, executor.FactSeats)
	if err != nil {
		return nil, err
	}
	s.mean = executor.SeatsMean(fact)
	if s.before, err = o.ownedJobs(ctx); err != nil {
		return nil, err
	}
	for job, err := range o.Market.AllJobs(ctx, api.JobsAll) {
		if err != nil {
			return nil, err
		}
		if _, twice := s.listed[job.ID]; twice {
			continue
		}
		s.listed[job.ID] = job
		switch m := executor.MarkerOf(job); {
		case planner.IsQuestion(m):
			s.questions = append(s.questions, job.ID)
		case m != "":
			s.byMarker[m] = append(s.byMarker[m], job.ID)
		}
	}
	for _, jobs := range s.byMarker {
		slices.Sort(jobs)
	}
	s.owned, err = o.ownedJobs(ctx)
	return s, err
}

// Audit compares the books with the marketplace. It changes nothing but the
// last reading of the balance.
func (o *Operator) Audit(ctx context.Context) (*Audit, error) {
	a, _, err := o.audit(ctx)
	return a, err
}

func (o *Operator) audit(ctx context.Context) (*Audit, *survey, error) {
	if _, err := o.Account(ctx); err != nil {
		return nil, nil, err
	}
	s, err := o.survey(ctx)
	if err != nil {
		return nil, nil, err
	}
	a := &Audit{
		Duplicates: s.duplicates(), SeatDifferences: []SeatDifference{}, Misplaced: s.misplaced(),
		Unowned: []Unowned{}, Missing: []Missing{},
	}
	for _, d := range s.seatDifferences() {
		away, err := o.givenBack(ctx, d)
		if err != nil {
			return nil, nil, err
		}
		switch d.Actual -= away; {
		case d.Actual == d.Expected:
		case s.owned[d.JobID].Vague:
			s.vague = append(s.vague, d)
		default:
			d.Actual += away
			a.SeatDifferences = append(a.SeatDifferences, d)
		}
	}
	if err := o.unowned(ctx, a, s); err != nil {
		return nil, nil, err
	}
	if err := o.missing(ctx, a, s); err != nil {
		return nil, nil, err
	}
	return a, s, o.auditBalance(ctx, a)
}

// settledTwin tells a second job with a marker that was dealt with: it is in
// the books by hand and is finished.
func (s *survey) settledTwin(id int64) bool {
	own := s.owned[id]
	return own != nil && own.Campaign == planner.ManualCampaign && own.Marker() != executor.MarkerOf(s.listed[id]) &&
		s.listed[id].Status == api.JobFinished
}

func (s *survey) duplicates() []Duplicate {
	out := []Duplicate{}
	for m, all := range s.byMarker {
		jobs := slices.DeleteFunc(slices.Clone(all), s.settledTwin)
		if len(jobs) > 1 {
			out = append(out, Duplicate{Marker: m, Jobs: jobs, Paused: []int64{}})
		}
	}
	slices.SortFunc(out, func(x, y Duplicate) int { return cmp.Compare(x.Jobs[0], y.Jobs[0]) })
	return out
}

// misplaced are our jobs that do not carry the marker of their create. One that
// carries none at all was edited by a person, unless another job carries it.
func (s *survey) misplaced() []Misplaced {
	out := []Misplaced{}
	for id, own := range s.owned {
		want := own.Marker()
		if want == "" {
			continue
		}
		job, shown := s.listed[id]
		found := ""
		if shown {
			found = executor.MarkerOf(job)
		}
		if found == want {
			continue
		}
		m := Misplaced{JobID: id, Op: own.Op, Marker: want, Found: found}
		for _, other := range s.byMarker[want] {
			if !s.settledTwin(other) {
				m.Right = other
				break
			}
		}
		if m.Right != 0 || found != "" {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(x, y Misplaced) int { return cmp.Compare(x.JobID, y.JobID) })
	return out
}

// seatDifferences looks at jobs that are online and on which nothing was under
// way: a finished job's number of seats tells nothing that is documented.
func (s *survey) seatDifferences() []SeatDifference {
	out := []SeatDifference{}
	for id, own := range s.owned {
		job, shown := s.listed[id]
		was := s.before[id]
		if !shown || was == nil || job.Status != api.JobOnline || was.Lane != "" || own.Lane != "" || was.Seats != own.Seats {
			continue
		}
		total, left := job.Seats, job.Seats+job.Applications
		actual := total
		if s.mean == executor.SeatsAreLeft || s.mean == "" && own.Seats == left {
			actual = left
		}
		if actual != own.Seats {
			out = append(out, SeatDifference{
				JobID: own.ID, Campaign: own.Campaign, Item: own.Item, Expected: own.Seats, Actual: actual,
			})
		}
	}
	slices.SortFunc(out, func(x, y SeatDifference) int { return cmp.Compare(x.JobID, y.JobID) })
	return out
}

// givenBack is how many of the seats that a job seems to have beyond those bought
// may be counted twice: workers who were turned away gave theirs back, and others
// took them, so that they are in what is left and in all applications.
func (o *Operator) givenBack(ctx context.Context, d SeatDifference) (int, error) {
	more := d.Actual - d.Expected
	if more <= 0 {
		return 0, nil
	}
	return executor.TurnedAway(ctx, o.Market, d.JobID, more)
}

// unowned finds the jobs with our markers that are in nobody's books. One whose
// create is on its way is not among them.
func (o *Operator) unowned(ctx context.Context, a *Audit, s *survey) error {
	var origins map[string]origin
	for m, jobs := range s.byMarker {
		for _, id := range jobs {
			if s.owned[id] != nil {
				continue
			}
			if origins == nil {
				var err error
				if origins, err = o.origins(ctx); err != nil {
					return err
				}
			}
			u := Unowned{JobID: id, Title: s.listed[id].Title, Marker: m}
			pending, err := o.explain(ctx, origins, &u)
			if err != nil {
				return err
			}
			if !pending {
				a.Unowned = append(a.Unowned, u)
			}
		}
	}
	for _, id := range s.questions {
		m := executor.MarkerOf(s.listed[id])
		// A finished one costs nothing more; one just made may be on its way back.
		if asked, _ := planner.MarkerSlot(m); s.owned[id] == nil && s.listed[id].Status != api.JobFinished &&
			o.Now().Sub(asked) >= inFlight {
			a.Unowned = append(a.Unowned, Unowned{JobID: id, Title: s.listed[id].Title, Marker: m})
		}
	}
	slices.SortFunc(a.Unowned, func(x, y Unowned) int { return cmp.Compare(x.JobID, y.JobID) })
	return nil
}

// inFlight is how long a question may take to be answered, and its job to be
// taken back.
const inFlight = 2 * time.Minute

// origins are the creates of all registered campaigns, by their markers' names.
func (o *Operator) origins(ctx context.Context) (map[string]origin, error) {
	regs, err := o.registered(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]origin{}
	for _, reg := range regs {
		for _, or := range creates(reg.Spec) {
			out[or.name] = or
		}
	}
	return out, nil
}

// explain finds the create that a marker tells of, and whether it may yet find
// its job by itself.
func (o *Operator) explain(ctx context.Context, origins map[string]origin, u *Unowned) (pending bool, err error) {
	slot, _ := planner.MarkerSlot(u.Marker)
	or, known := origins[planner.MarkerName(u.Marker)]
	if !known {
		return false, nil
	}
	op, err := o.Journal.Get(ctx, planner.NewID(or.spec.Name, or.action.ID, or.item, slot))
	if errors.Is(err, journal.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	u.Op, u.State = op.ID, op.State
	return op.State == planner.Sending || op.State == planner.Unknown || op.Asked, nil
}

// missingChecks bounds how many jobs that no list shows are asked for by id.
const missingChecks = 50

// missing finds our jobs that were deleted. A list may hide a job that waits
// for approval, so only its own address tells.
func (o *Operator) missing(ctx context.Context, a *Audit, s *survey) error {
	checks := 0
	for id, own := range s.owned {
		if _, shown := s.listed[id]; shown || own.Status == journal.JobGone || own.Lane != "" || checks == missingChecks || own.Young(o.Now()) {
			continue
		}
		checks++
		_, err := o.Market.Job(ctx, id)
		if err == nil {
			continue
		}
		if api.ReasonOf(err) != api.ReasonNotFound {
			return err
		}
		a.Missing = append(a.Missing, Missing{JobID: id, Campaign: own.Campaign, Item: own.Item})
	}
	slices.SortFunc(a.Missing, func(x, y Missing) int { return cmp.Compare(x.JobID, y.JobID) })
	return nil
}

func (o *Operator) auditBalance(ctx context.Context, a *Audit) error {
	before, err := o.Journal.Account(ctx)
	if err != nil {
		return err
	}
	if a.BalanceActual, err = o.Executor.Balance(ctx); err != nil {
		return err
	}
	account, err := o.Journal.Account(ctx)
	if err != nil || !account.Anchored {
		return err
	}
	expected := account.Expected()
	drift := a.BalanceActual - expected
	a.BalanceExpected, a.Drift = &expected, &drift
	a.Moving = max(before.Reserved+before.Unknown, account.Reserved+account.Unknown)
	return nil
}
