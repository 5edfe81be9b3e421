package console

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

const (
	// maxScopes is how many budgets have series of their own. With more of them
	// only the account's are told.
	maxScopes = 200
	// maxSpecsRead is how many campaigns are read to find those with a cap.
	maxSpecsRead = 1000
	// maxCampaigns is how many campaigns, and maxJobs how many jobs of theirs, are
	// read to tell what was got for the money.
	maxCampaigns = 100
	maxJobs      = 10_000
	scrapeWithin = 5 * time.Second
)

// The metrics of the journal. Amounts are whole millionths of a dollar, which a
// float64 holds exactly up to nine billion dollars.
var (
	upDesc = prometheus.NewDesc("campaign_runner_journal_up",
		"1 when the journal could be read.", nil, nil)
	operationsDesc = prometheus.NewDesc("campaign_runner_operations",
		"Operations by state.", []string{"state"}, nil)
	budgetDesc = prometheus.NewDesc("campaign_runner_budget_microdollars",
		"Budgets by component, in their current window.", []string{"scope", "component"}, nil)
	closedDesc = prometheus.NewDesc("campaign_runner_budgets_closed",
		"Budgets that reached their threshold.", nil, nil)
	balanceDesc = prometheus.NewDesc("campaign_runner_account_balance_microdollars",
		"The account's balance as last read.", nil, nil)
	expectedDesc = prometheus.NewDesc("campaign_runner_account_expected_microdollars",
		"What the balance should be by the books.", nil, nil)
	driftDesc = prometheus.NewDesc("campaign_runner_account_drift_microdollars",
		"How much less the account held than the books say, when last nothing was in flight.", nil, nil)
	inflightDesc = prometheus.NewDesc("campaign_runner_money_calls_inflight",
		"Calls that move money and are on their way or in doubt.", nil, nil)
	alertsDesc = prometheus.NewDesc("campaign_runner_alerts",
		"Alerts that stand.", nil, nil)
	attentionDesc = prometheus.NewDesc("campaign_runner_attention",
		"What waits for a person: parked operations, alerts and closed budgets.", nil, nil)
	oldestDesc = prometheus.NewDesc("campaign_runner_oldest_pending_seconds",
		"How long the oldest pending application has waited, in campaigns with review_within.", []string{"campaign"}, nil)
	seatsDesc = prometheus.NewDesc("campaign_runner_campaign_seats",
		"Seats of a campaign's jobs: bought, and filled.", []string{"campaign", "seats"}, nil)
	approvedDesc = prometheus.NewDesc("campaign_runner_campaign_approved",
		"Answers of a campaign that are known to be approved.", []string{"campaign"}, nil)
	eachDesc = prometheus.NewDesc("campaign_runner_campaign_cost_per_approved_microdollars",
		"What an approved answer cost on average, adopted jobs left out; absent while none is approved.", []string{"campaign"}, nil)
	fillDesc = prometheus.NewDesc("campaign_runner_campaign_fill_seconds",
		"How long a campaign's jobs took on average until they were full; absent while none is.", []string{"campaign"}, nil)
	stoppedDesc = prometheus.NewDesc("campaign_runner_stopped",
		"1 while everything is held.", nil, nil)
	frozenDesc = prometheus.NewDesc("campaign_runner_sends_frozen",
		"1 while nothing is sent because Redis lost writes, or may have: a person must act.", nil, nil)
)

// books collects the journal's metrics at each scrape.
type books struct{ *console }

// Describe sends every metric that Collect may send.
func (b books) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		upDesc, operationsDesc, budgetDesc, closedDesc, balanceDesc, expectedDesc,
		driftDesc, inflightDesc, alertsDesc, attentionDesc, stoppedDesc, frozenDesc, oldestDesc,
		seatsDesc, approvedDesc, eachDesc, fillDesc,
	} {
		ch <- d
	}
}

// Collect reads the journal. One that cannot be read is told as down.
func (b books) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
	defer cancel()
	up := int64(1)
	if err := b.collect(ctx, gauges(ch)); err != nil {
		b.Log.WarnContext(ctx, "the journal cannot be read for metrics", "err", err)
		up = 0
	}
	gauges(ch).send(upDesc, up)
}

func (b books) collect(ctx context.Context, out gauges) error {
	counts, err := b.Journal.Counts(ctx, "")
	if err != nil {
		return err
	}
	for _, s := range planner.States() {
		out.send(operationsDesc, int64(counts[s]), string(s))
	}
	closed, err := b.Journal.ClosedScopes(ctx, b.specs, b.Now())
	if err != nil {
		return err
	}
	alerts, err := b.Journal.Alerts(ctx)
	if err != nil {
		return err
	}
	out.send(closedDesc, int64(len(closed)))
	out.send(alertsDesc, int64(len(alerts)))
	out.send(attentionDesc, int64(counts[planner.Parked]+len(alerts)+len(closed)))
	reason, err := b.Journal.Stopped(ctx)
	if err != nil {
		return err
	}
	out.flag(stoppedDesc, reason != "")
	frozen, err := b.Journal.Frozen(ctx)
	if err != nil {
		return err
	}
	out.flag(frozenDesc, len(frozen) > 0)
	oldest, err := b.Journal.Oldest(ctx)
	if err != nil {
		return err
	}
	if len(oldest) <= maxScopes {
		for campaign, t := range oldest {
			out.send(oldestDesc, int64(b.Now().Sub(t).Seconds()), campaign)
		}
	}
	if err := b.account(ctx, out); err != nil {
		return err
	}
	names, err := b.Journal.CampaignNames(ctx)
	if err != nil {
		return err
	}
	if err := b.campaigns(ctx, out, names); err != nil {
		return err
	}
	return b.budgets(ctx, out, names)
}

// campaigns tells what each campaign got for its money, as long as they and
// their jobs are few.
func (b books) campaigns(ctx context.Context, out gauges, names []string) error {
	if len(names) > maxCampaigns {
		return nil
	}
	if n, err := b.Journal.CountJobs(ctx); err != nil || n > maxJobs {
		return err
	}
	for _, name := range names {
		jobs, err := b.Journal.Jobs(ctx, name)
		if err != nil {
			return err
		}
		t, err := journal.TallyOf(jobs)
		if err != nil {
			return fmt.Errorf("campaign %s: %w", name, err)
		}
		out.send(seatsDesc, int64(t.Seats), name, "bought")
		out.send(seatsDesc, int64(t.Filled), name, "filled")
		out.send(approvedDesc, int64(t.Approved), name)
		if t.Each != nil {
			out.send(eachDesc, int64(*t.Each), name)
		}
		if t.FillTime != nil {
			out.send(fillDesc, int64(t.FillTime.Seconds()), name)
		}
	}
	return nil
}

func (b books) account(ctx context.Context, out gauges) error {
	a, err := b.Journal.Account(ctx)
	if err != nil {
		return err
	}
	out.send(inflightDesc, int64(a.Inflight))
	out.budget("account", "committed", a.Charged-a.Refunded)
	out.budget("account", "reserved", a.Reserved)
	out.budget("account", "unknown", a.Unknown)
	out.budget("account", "refunded", a.Refunded)
	if a.Known {
		out.send(balanceDesc, int64(a.Balance))
	}
	if a.Anchored {
		out.send(expectedDesc, int64(a.Expected()))
		out.send(driftDesc, int64(a.Drift))
	}
	return nil
}

// budgets tells each budget that has a cap, as long as they are few.
func (b books) budgets(ctx context.Context, out gauges, names []string) error {
	if len(names) > maxSpecsRead {
		return nil
	}
	limits, err := b.limits(ctx, names)
	if err != nil {
		return err
	}
	capped := limits[:0]
	for _, l := range limits {
		if l.Cap >= 0 {
			capped = append(capped, l)
		}
	}
	if len(capped) > maxScopes {
		return nil
	}
	all, err := b.Journal.Budgets(ctx, capped)
	if err != nil {
		return err
	}
	for _, s := range all {
		out.budget(s.Scope, "cap", s.Cap)
		out.budget(s.Scope, "committed", s.Committed())
		out.budget(s.Scope, "reserved", s.Reserved)
		out.budget(s.Scope, "unknown", s.Unknown)
		out.budget(s.Scope, "refunded", s.Refunded)
		out.budget(s.Scope, "consumed", s.Consumed)
	}
	return nil
}

// limits are the budgets of the named campaigns, each once.
func (c *console) limits(ctx context.Context, names []string) ([]journal.Limit, error) {
	if err := c.specs.Refresh(ctx, names); err != nil {
		return nil, err
	}
	var limits []journal.Limit
	seen := map[string]bool{}
	for _, name := range names {
		spec := c.specs.Get(name)
		if spec == nil {
			continue
		}
		for _, l := range journal.Limits(spec.Spec, c.Now()) {
			if !seen[l.Scope] {
				seen[l.Scope] = true
				limits = append(limits, l)
			}
		}
	}
	return limits, nil
}

// gauges is where collected values go.
type gauges chan<- prometheus.Metric

func (g gauges) send(d *prometheus.Desc, n int64, labels ...string) {
	g <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
}

// flag sends 1 for what is so, and else 0.
func (g gauges) flag(d *prometheus.Desc, is bool) {
	n := int64(0)
	if is {
		n = 1
	}
	g.send(d, n)
}

func (g gauges) budget(scope, component string, a money.USD) {
	g.send(budgetDesc, int64(a), scope, component)
}
