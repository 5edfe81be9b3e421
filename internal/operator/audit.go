package operator

import (
	"cmp"
	"context"
	"slices"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// Audit is the books against the marketplace.
type Audit struct {
	// BalanceExpected is what the account should hold by the books, in USD; nil
	// before the books were anchored. Drift is the actual balance less that.
	BalanceExpected *money.USD       `json:"balance_expected"`
	BalanceActual   money.USD        `json:"balance_actual"`
	Drift           *money.USD       `json:"drift"`
	Duplicates      []Duplicate      `json:"duplicates"`
	SeatDifferences []SeatDifference `json:"seat_differences"`
	Unowned         []Unowned        `json:"unowned"`
}

// Duplicate is one marker that several jobs carry.
type Duplicate struct {
	Marker string `json:"marker"`
	// Jobs are their ids, the oldest first.
	Jobs []int64 `json:"jobs"`
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
}

// Clean tells whether the books and the marketplace agree.
func (a *Audit) Clean() bool {
	return (a.Drift == nil || *a.Drift == 0) && len(a.Duplicates)+len(a.SeatDifferences)+len(a.Unowned) == 0
}

// Audit compares the books with the marketplace. It changes nothing but the
// last reading of the balance.
func (o *Operator) Audit(ctx context.Context) (*Audit, error) {
	if _, err := o.Account(ctx); err != nil {
		return nil, err
	}
	owned, err := o.ownedJobs(ctx)
	if err != nil {
		return nil, err
	}
	fact, err := o.Journal.Recall(ctx, executor.FactSeats)
	if err != nil {
		return nil, err
	}
	a := &Audit{Duplicates: []Duplicate{}, SeatDifferences: []SeatDifference{}, Unowned: []Unowned{}}
	byMarker := map[string][]int64{}
	for job, err := range o.Market.AllJobs(ctx, api.JobsAll) {
		if err != nil {
			return nil, err
		}
		m := executor.MarkerOf(job)
		if m != "" {
			byMarker[m] = append(byMarker[m], job.ID)
		}
		own := owned[job.ID]
		switch {
		case own != nil:
			a.compareSeats(own, job, executor.SeatsMean(fact))
		case m != "":
			a.Unowned = append(a.Unowned, Unowned{JobID: job.ID, Title: job.Title, Marker: m})
		}
	}
	for m, jobs := range byMarker {
		if len(jobs) > 1 {
			slices.Sort(jobs)
			a.Duplicates = append(a.Duplicates, Duplicate{Marker: m, Jobs: jobs})
		}
	}
	slices.SortFunc(a.Duplicates, func(x, y Duplicate) int { return cmp.Compare(x.Jobs[0], y.Jobs[0]) })
	return a, o.auditBalance(ctx, a)
}

// compareSeats looks at jobs that are online and on which nothing is under way:
// a finished job's number of seats tells nothing that is documented.
func (a *Audit) compareSeats(own *journal.Job, job api.Job, mean executor.SeatsMean) {
	if job.Status != api.JobOnline || own.Lane != "" {
		return
	}
	total, left := job.Seats, job.Seats+job.Applications
	actual := total
	switch {
	case mean == executor.SeatsAreLeft, mean == "" && own.Seats == left:
		actual = left
	}
	if actual != own.Seats {
		a.SeatDifferences = append(a.SeatDifferences, SeatDifference{
			JobID: own.ID, Campaign: own.Campaign, Item: own.Item, Expected: own.Seats, Actual: actual,
		})
	}
}

func (o *Operator) auditBalance(ctx context.Context, a *Audit) error {
	var err error
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
	return nil
}
