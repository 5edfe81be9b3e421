package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// close has a campaign spend 4.875 of 5, which closes its budgets at 4.
func (f *fixture) close(t *testing.T, c *campaigns.Campaign) {
	t.Helper()
	must(t, f.journal.Register(t.Context(), noon, c))
	op := planner.Operation{ID: madeID, Campaign: c.Name, Action: "create", Item: "pokhara", Kind: planner.Create, Seats: 100}
	_, err := f.journal.Create(t.Context(), noon, nil, journal.Queue([]planner.Operation{op}))
	must(t, err)
	cost := money.MustParse("4.875")
	f.settle(t, c, madeID, cost, journal.Settlement{
		To: planner.Applied, Cost: &cost, JobID: 15356,
		Made: &journal.Made{Item: "pokhara", Slot: noon, Seats: 100, Price: money.MustParse("0.03")},
	})
}

func TestABudgetIsToldAsClosedWhileItIs(t *testing.T) {
	t.Parallel()
	budget := func(resume campaigns.ResumePolicy) *campaigns.Budget {
		return &campaigns.Budget{
			Cap: money.MustParse("5"), PauseAt: money.MustParse("4"), Per: campaigns.PerDay,
			Measure: campaigns.MeasureCommitted, Resume: resume,
		}
	}
	tests := []struct {
		name      string
		own, file *campaigns.Budget
		later     time.Duration
		want      string
	}{
		{"a window's, within it", budget(campaigns.ResumeWindow), nil, time.Hour, "Budget closed: signs"},
		{"a window's, in the next", budget(campaigns.ResumeWindow), nil, 24 * time.Hour, ""},
		{"a person's, in the next window", budget(campaigns.ResumeManual), nil, 24 * time.Hour, "Budget closed: signs"},
		{"a file's window, within it", nil, budget(campaigns.ResumeWindow), time.Hour, "Budget closed: file a file.yaml"},
		{"a file's window, in the next", nil, budget(campaigns.ResumeWindow), 24 * time.Hour, ""},
		{"a file's by a person, in the next window", nil, budget(campaigns.ResumeManual), 24 * time.Hour, "Budget closed: file a file.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, nil)
			f.close(t, &campaigns.Campaign{
				Name: "signs", Source: "a file.yaml", Timezone: "UTC", Budget: tt.own, FileBudget: tt.file,
				Actions: []campaigns.Action{{ID: "create", Do: "create", Now: true}},
			})
			f.clock.advance(tt.later)
			page, closed := text(t, f.get(t, "/").body), 0.0
			if tt.want != "" {
				closed = 1
			}
			if got := strings.Contains(page, "Budget closed"); got != (tt.want != "") || !strings.Contains(page, tt.want) {
				t.Errorf("want %q told as closed:\n%s", tt.want, page)
			}
			scrape := f.scrape(t)
			for _, name := range []string{"campaign_runner_budgets_closed", "campaign_runner_attention"} {
				if got, ok := scrape[name]; !ok || got != closed {
					t.Errorf("%s is %v (%t), want %v", name, got, ok, closed)
				}
			}
		})
	}
}
