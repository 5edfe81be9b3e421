package console

import (
	"context"
	"net/http"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

const (
	// recentOps is how many operations the page shows, maxCampaigns how many
	// campaigns: a page is for looking, and `enqueue` lists them all.
	recentOps    = 50
	maxCampaigns = 100
	refreshEvery = 5 // seconds
)

// statusView is the page at /.
type statusView struct {
	frame
	Now       time.Time
	Stopped   string
	API       string
	Account   journal.Account
	Counts    map[planner.State]int
	Alerts    []journal.Alert
	Parked    []*journal.Op
	Closed    []budgetRow
	Campaigns []campaignRow
	More      int
	Budgets   []budgetRow
	Recent    []*journal.Op
}

// campaignRow is a campaign with its jobs.
type campaignRow struct {
	Name, Reason   string
	State          journal.CampaignState
	Jobs           []journal.Job
	Online         int
	Seats, Filled  int
	Pending        int
	Budget         journal.Budget
	Capped, Closed bool
}

// budgetRow is a budget by the name that people know it by.
type budgetRow struct {
	Name string
	journal.Budget
}

// status is the page at /.
func (c *console) status(w http.ResponseWriter, r *http.Request) {
	v, err := c.readStatus(r.Context())
	if err != nil {
		c.unreadable(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "status.html", v)
}

func (c *console) readStatus(ctx context.Context) (*statusView, error) {
	v := &statusView{
		frame: frame{Title: "Campaigns", Version: c.Version, Refresh: refreshEvery, Leave: c.door.set},
		Now:   c.Now(), API: c.apiState(),
	}
	var err error
	if v.Stopped, err = c.Journal.Stopped(ctx); err != nil {
		return nil, err
	}
	if v.Account, err = c.Journal.Account(ctx); err != nil {
		return nil, err
	}
	if v.Counts, err = c.Journal.Counts(ctx, ""); err != nil {
		return nil, err
	}
	if v.Alerts, err = c.Journal.Alerts(ctx); err != nil {
		return nil, err
	}
	if v.Recent, err = c.Journal.Ops(ctx, journal.Filter{Most: recentOps}); err != nil {
		return nil, err
	}
	if v.Parked, err = c.parked(ctx); err != nil {
		return nil, err
	}
	return v, c.readCampaigns(ctx, v)
}

// parked are operations that wait for a person, the newest of them.
func (c *console) parked(ctx context.Context) ([]*journal.Op, error) {
	ids, err := c.Journal.Open(ctx, planner.Parked, c.Now(), recentOps)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return c.Journal.Load(ctx, ids)
}

func (c *console) readCampaigns(ctx context.Context, v *statusView) error {
	names, err := c.Journal.CampaignNames(ctx)
	if err != nil {
		return err
	}
	if len(names) > maxCampaigns {
		v.More, names = len(names)-maxCampaigns, names[:maxCampaigns]
	}
	if err := c.specs.Refresh(ctx, names); err != nil {
		return err
	}
	files := map[string]bool{}
	for _, name := range names {
		sp := c.specs.Get(name)
		if sp == nil || sp.State == journal.Removed {
			continue
		}
		if err := c.readCampaign(ctx, v, sp, files); err != nil {
			return err
		}
	}
	return nil
}

// readCampaign adds a campaign's row, its own budget, and its file's where no
// other campaign of the file has brought it.
func (c *console) readCampaign(ctx context.Context, v *statusView, sp *journal.Spec, files map[string]bool) error {
	jobs, err := c.Journal.Jobs(ctx, sp.Spec.Name)
	if err != nil {
		return err
	}
	budgets, err := c.Journal.Budgets(ctx, journal.Limits(sp.Spec, c.Now()))
	if err != nil {
		return err
	}
	row := campaignRow{Name: sp.Spec.Name, State: sp.State, Reason: sp.Reason, Jobs: jobs}
	for _, job := range jobs {
		row.Seats += job.Seats
		row.Filled += job.Filled()
		row.Pending += job.Pending
		if job.Status == journal.JobOnline {
			row.Online++
		}
	}
	for i, b := range budgets {
		name := sp.Spec.Name
		if i > 0 {
			if files[sp.Spec.Source] {
				continue
			}
			files[sp.Spec.Source] = true
			name = "account: " + sp.Spec.Source
		} else {
			row.Budget, row.Capped, row.Closed = b, b.Cap >= 0, !b.Latched.IsZero()
		}
		if b.Cap < 0 {
			continue
		}
		v.Budgets = append(v.Budgets, budgetRow{name, b})
		if !b.Latched.IsZero() {
			v.Closed = append(v.Closed, budgetRow{name, b})
		}
	}
	v.Campaigns = append(v.Campaigns, row)
	return nil
}
