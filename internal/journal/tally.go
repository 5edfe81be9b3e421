package journal

import (
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Tally is what some jobs add up to.
type Tally struct {
	Jobs, Online           int
	Seats, Filled, Pending int
	// Approved is how many answers are known to be approved.
	Approved int
	// Each is what an approved answer cost on average, in USD, fees, unfilled seats
	// and declined answers included. Adopted jobs are left out, since what they
	// cost before is not known. Nil while none is approved.
	Each *money.USD
	// FillTime is how long jobs took on average until they were full, or finished;
	// nil while none is.
	FillTime *time.Duration
}

// TallyOf adds up jobs.
func TallyOf(jobs []Job) (Tally, error) {
	t := Tally{Jobs: len(jobs)}
	var net money.USD
	var filling time.Duration
	bought, full := int64(0), time.Duration(0)
	for _, j := range jobs {
		if j.Status == JobOnline {
			t.Online++
		}
		t.Seats += j.Seats
		t.Filled += j.Filled()
		t.Pending += j.Pending
		t.Approved += j.Approved
		if j.Marker() != "" {
			net += j.Charged - j.Refunded
			bought += int64(j.Approved)
		}
		if !j.FullAt.IsZero() {
			filling += j.FullAt.Sub(j.MadeAt)
			full++
		}
	}
	if full > 0 {
		mean := filling / full
		t.FillTime = &mean
	}
	if bought == 0 {
		return t, nil
	}
	each, err := net.Share(1, bought)
	t.Each = &each
	return t, err
}
