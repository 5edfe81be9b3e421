package operator

import (
	"context"
	"fmt"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// pricer asks the marketplace what the jobs of a plan cost, once for each
// distinct shape.
type pricer struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call of Plan
	o   *Operator
	p   *Plan
	// shapes keeps the answers; a nil is a shape that cannot be priced.
	shapes map[string]*money.USD
	told   map[string]bool
	absent map[string]bool
	// err is the first failure that ends the plan.
	err error
}

func newPricer(ctx context.Context, o *Operator, p *Plan) *pricer {
	return &pricer{
		ctx: ctx, o: o, p: p, shapes: map[string]*money.USD{}, told: map[string]bool{}, absent: map[string]bool{},
	}
}

// of is the price function of one campaign; offline it knows nothing.
func (pr *pricer) of(c *campaigns.Campaign) func(planner.Kind, string, int64, int) (money.USD, bool) {
	if pr.p.offline {
		return func(planner.Kind, string, int64, int) (money.USD, bool) { return 0, false }
	}
	cp := &campaignPricer{pricer: pr, c: c, varied: varies(c), known: map[wanted]*money.USD{}}
	return cp.price
}

// varies tells whether what prices a job depends on its item.
func varies(c *campaigns.Campaign) bool {
	if c.Job == nil {
		return false
	}
	texts := append([]string{c.Job.Category}, c.Job.Countries...)
	return strings.Contains(strings.Join(texts, ""), "{{")
}

// campaignPricer prices the jobs of one campaign.
type campaignPricer struct {
	*pricer
	c      *campaigns.Campaign
	varied bool
	items  map[string]campaigns.Item
	known  map[wanted]*money.USD
}

// wanted is what a price is asked for. item is "" where it does not matter, and
// job 0 where a spec describes it.
type wanted struct {
	create bool
	item   string
	job    int64
	seats  int
}

func (cp *campaignPricer) price(kind planner.Kind, item string, job int64, seats int) (money.USD, bool) {
	w := wanted{create: kind == planner.Create, seats: seats}
	if cp.varied {
		w.item = item
	}
	if cp.c.Job == nil {
		w.job = job
	}
	cost, asked := cp.known[w]
	if !asked && cp.err == nil {
		cost = cp.ask(w)
		cp.known[w] = cost
	}
	if cost == nil {
		return 0, false
	}
	return *cost, true
}

// ask finds a price, or tells why there is none.
func (cp *campaignPricer) ask(w wanted) *money.USD {
	cost, err := cp.find(w)
	if err == nil {
		return &cost
	}
	reason, unfit := executor.Unfit(err)
	if !unfit {
		cp.err = fmt.Errorf("price of campaign %s: %w", cp.c.Name, err)
		return nil
	}
	cp.tell(fmt.Sprintf("campaign %s cannot be priced: %s", cp.c.Name, reason))
	return nil
}

func (cp *campaignPricer) find(w wanted) (money.USD, error) {
	if cp.c.Job == nil {
		job, err := cp.o.Market.Job(cp.ctx, w.job)
		if err != nil {
			return 0, err
		}
		return cp.o.Executor.QuoteSeats(cp.ctx, job, w.seats)
	}
	job, err := cp.c.Render(cp.item(w.item))
	if err != nil {
		return 0, err
	}
	ready, err := cp.resolve(job)
	if err != nil {
		return 0, err
	}
	return cp.quote(ready, w)
}

// quote asks for each shape once, whichever campaign it is of.
func (cp *campaignPricer) quote(job api.NewJob, w wanted) (money.USD, error) {
	job.Seats = w.seats
	shape := fmt.Sprint(w.create, executor.Shape(job))
	if cost, asked := cp.shapes[shape]; asked && cost != nil {
		return *cost, nil
	}
	ask := cp.o.Executor.Quote
	if !w.create {
		ask = func(ctx context.Context, job api.NewJob) (money.USD, error) {
			return cp.o.Executor.QuoteSeatsAhead(ctx, job, w.seats)
		}
	}
	cost, err := ask(cp.ctx, job)
	if err == nil {
		cp.shapes[shape] = &cost
	}
	return cost, err
}

// resolve turns names into ids. A team that is yet to be made has none: its
// jobs are priced as for everyone.
func (cp *campaignPricer) resolve(job campaigns.Job) (api.NewJob, error) {
	team := job.Team
	if team != "" && !cp.absent[team] {
		ready, err := cp.o.Executor.Resolve(cp.ctx, job)
		if _, unfit := executor.Unfit(err); err == nil || !unfit {
			return ready, err
		}
		cp.absent[team] = true
		cp.tell(fmt.Sprintf("team %q is not made yet: its jobs are priced as for everyone", team))
	}
	if team != "" {
		job.Team, job.Countries = "", []string{"INT"}
	}
	return cp.o.Executor.Resolve(cp.ctx, job)
}

func (pr *pricer) tell(warning string) {
	if !pr.told[warning] {
		pr.told[warning] = true
		pr.p.warn("%s", warning)
	}
}

// item is an item of the campaign by its key; "" is the first, which stands for
// all.
func (cp *campaignPricer) item(key string) campaigns.Item {
	if key == "" {
		return cp.c.Items[0]
	}
	if cp.items == nil {
		cp.items = make(map[string]campaigns.Item, len(cp.c.Items))
		for _, item := range cp.c.Items {
			cp.items[item.Key] = item
		}
	}
	return cp.items[key]
}
