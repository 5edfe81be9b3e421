package journal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/journal"
)

func TestTallyOf(t *testing.T) {
	t.Parallel()
	made := func(job journal.Job) journal.Job {
		job.Op, job.MadeAt = "c/create/a/20261124T120000Z", epoch
		return job
	}
	each, mean := usd("0.0625"), 90*time.Minute
	for name, c := range map[string]struct {
		jobs []journal.Job
		want journal.Tally
	}{
		"no jobs": {nil, journal.Tally{}},
		"nothing is approved": {
			[]journal.Job{made(journal.Job{Status: journal.JobOnline, Seats: 10, Applications: 4, Pending: 4, Charged: usd("1")})},
			journal.Tally{Jobs: 1, Online: 1, Seats: 10, Filled: 4, Pending: 4},
		},
		"what came back is not paid, and adopted jobs tell no price": {
			[]journal.Job{
				made(journal.Job{Status: journal.JobFinished, Seats: 10, Applications: 12, Approved: 6, Charged: usd("1"), Refunded: usd("0.5"), FullAt: epoch.Add(time.Hour)}),
				made(journal.Job{Status: journal.JobOnline, Seats: 5, Approved: 2, FullAt: epoch.Add(2 * time.Hour)}),
				made(journal.Job{Status: journal.JobOnline, Seats: 5}),
				{Status: journal.JobOnline, Seats: 100, Applications: 90, Approved: 80, Charged: usd("2")},
			},
			journal.Tally{Jobs: 4, Online: 3, Seats: 120, Filled: 100, Approved: 88, Each: &each, FillTime: &mean},
		},
	} {
		got, err := journal.TallyOf(c.jobs)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
