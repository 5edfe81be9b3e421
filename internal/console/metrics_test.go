package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/console"
)

// scrape reads the metrics as Prometheus does: by name, then labels, then value.
func (f *fixture) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(f.get(t, "/metrics").body))
	must(t, err)
	out := map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			out[name+labels(m)] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}

func labels(m *dto.Metric) string {
	var b strings.Builder
	for _, l := range m.GetLabel() {
		b.WriteString(" " + l.GetName() + "=" + l.GetValue())
	}
	return b.String()
}

func TestMetricsTellTheJournalAndTheAPI(t *testing.T) {
	t.Parallel()
	m := console.NewMetrics("v1.2.3")
	f := setup(t, func(cfg *console.Config) { cfg.Metrics = m })
	f.seed(t, "text")
	f.got(t)
	m.SetSchedulerLag(1500 * time.Millisecond)
	m.Observe(api.Exchange{Method: "POST", Route: "/job/{id}/add_seat", Status: 503, Reason: api.ReasonServer, Duration: time.Second})
	m.Observe(api.Exchange{Method: "GET", Route: "/me", Status: 200, Duration: time.Second})
	m.Observe(api.Exchange{Method: "GET", Route: "/me", Reason: api.ReasonTimeout, Duration: time.Second})
	got := f.scrape(t)
	for name, want := range map[string]float64{
		"campaign_runner_journal_up":                                                                       1,
		"campaign_runner_operations state=applied":                                                         1,
		"campaign_runner_operations state=parked":                                                          1,
		"campaign_runner_operations state=unknown":                                                         0,
		"campaign_runner_budget_microdollars component=cap scope=c:signs":                                  5_000_000,
		"campaign_runner_budget_microdollars component=committed scope=c:signs":                            4_875_000,
		"campaign_runner_budget_microdollars component=committed scope=account":                            4_875_000,
		"campaign_runner_budgets_closed":                                                                   1,
		"campaign_runner_alerts":                                                                           1,
		"campaign_runner_attention":                                                                        3,
		"campaign_runner_stopped":                                                                          0,
		"campaign_runner_sends_frozen":                                                                     0,
		"campaign_runner_account_balance_microdollars":                                                     95_125_000,
		"campaign_runner_account_expected_microdollars":                                                    95_125_000,
		"campaign_runner_account_drift_microdollars":                                                       0,
		"campaign_runner_campaign_seats campaign=signs seats=bought":                                       100,
		"campaign_runner_campaign_seats campaign=signs seats=filled":                                       42,
		"campaign_runner_campaign_approved campaign=signs":                                                 2,
		"campaign_runner_campaign_cost_per_approved_microdollars campaign=signs":                           2_437_500,
		"campaign_runner_campaign_fill_seconds campaign=signs":                                             5400,
		"campaign_runner_scheduler_lag_seconds":                                                            1.5,
		"campaign_runner_api_requests_total method=GET reason= route=/me status=2xx":                       1,
		"campaign_runner_api_requests_total method=GET reason=timeout route=/me status=none":               1,
		"campaign_runner_api_requests_total method=POST reason=server route=/job/{id}/add_seat status=5xx": 1,
		"campaign_runner_api_request_duration_seconds route=/me status=2xx":                                1,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%t), want %v", name, v, ok, want)
		}
	}
}

func TestMetricsStayFew(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	register := func(from, to int) {
		for i := from; i < to; i++ {
			must(t, f.journal.Register(t.Context(), noon, &campaigns.Campaign{
				Name: fmt.Sprintf("c%03d", i), Source: "many.yaml", Timezone: "UTC",
				Budget:  &campaigns.Budget{Cap: money.MustParse("1"), Per: campaigns.PerTotal},
				Actions: []campaigns.Action{{ID: "create", Do: "create", Now: true}},
			}))
		}
	}
	const last = "campaign_runner_budget_microdollars component=cap scope=c:c199"
	const approved = "campaign_runner_campaign_approved campaign=c099"
	register(0, 100)
	got := f.scrape(t)
	if _, ok := got[approved]; !ok || len(got) > 2000 {
		t.Errorf("100 campaigns: %d series, the answers of the last of them are there: %t", len(got), ok)
	}
	register(100, 200)
	got = f.scrape(t)
	if _, ok := got[approved]; ok {
		t.Error("200 campaigns: the answers of one are there")
	}
	if _, ok := got[last]; !ok || len(got) > 2000 {
		t.Errorf("200 budgets: %d series, the last of them is there: %t", len(got), ok)
	}
	register(200, 201)
	got = f.scrape(t)
	if _, ok := got[last]; ok || len(got) > 200 {
		t.Errorf("201 budgets: %d series, one of a campaign is there: %t", len(got), ok)
	}
	if _, ok := got["campaign_runner_budget_microdollars component=committed scope=account"]; !ok {
		t.Error("201 budgets: the account's sum is not there")
	}
}

func TestMetricsHoldNoTextOfOthers(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.seed(t, "worker@example.com")
	body := f.get(t, "/metrics").body
	for _, text := range []string{"worker@example.com", "15356", "pokhara", "20261124"} {
		if strings.Contains(body, text) {
			t.Errorf("the metrics hold %q", text)
		}
	}
}

func TestMetricsTellThatTheJournalIsAway(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.redis.Close()
	if v, ok := f.scrape(t)["campaign_runner_journal_up"]; !ok || v != 0 {
		t.Errorf("campaign_runner_journal_up is %v (%t), want 0", v, ok)
	}
}
