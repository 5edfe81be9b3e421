package console

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

// Metrics are those of this process. They are safe for concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	exchanges *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	lag       prometheus.Gauge
	callbacks *prometheus.CounterVec
	audited   prometheus.Gauge
	findings  *prometheus.GaugeVec
}

// NewMetrics returns metrics in a registry of their own.
func NewMetrics(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		exchanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "campaign_runner_api_requests_total",
			Help: "Requests made to the marketplace, by what became of them.",
		}, []string{"method", "route", "status", "reason"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "campaign_runner_api_request_duration_seconds",
			Help:    "From the dial to the last byte of the answer.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "status"}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "campaign_runner_scheduler_lag_seconds",
			Help: "How late the action is that has been due the longest; 0 on a standby.",
		}),
		audited: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "campaign_runner_audit_timestamp_seconds",
			Help: "When this process last compared the books with the marketplace; 0 for never.",
		}),
		findings: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "campaign_runner_audit_findings",
			Help: "What the last audit of this process found, by kind.",
		}, []string{"kind"}),
	}
	m.callbacks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "campaign_runner_callbacks_total",
		Help: "Callbacks by what became of them: taken, limited, unreadable, or refused for a wrong secret.",
	}, []string{"outcome"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "campaign_runner_build_info",
		Help:        "Always 1; the labels tell the build.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.callbacks, m.exchanges, m.latency, m.lag, m.audited, m.findings, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts one request to the marketplace; it is api.Config.Observe.
func (m *Metrics) Observe(x api.Exchange) {
	class := "none"
	if x.Status != 0 {
		class = strconv.Itoa(x.Status/100) + "xx"
	}
	m.exchanges.WithLabelValues(x.Method, x.Route, class, string(x.Reason)).Inc()
	m.latency.WithLabelValues(x.Route, class).Observe(x.Duration.Seconds())
}

// SetSchedulerLag tells how late the schedule is.
func (m *Metrics) SetSchedulerLag(d time.Duration) { m.lag.Set(max(0, d).Seconds()) }

// SetAudit tells when an audit was made and what it found, by kind.
func (m *Metrics) SetAudit(at time.Time, findings map[string]int) {
	m.audited.Set(float64(at.Unix()))
	for kind, n := range findings {
		m.findings.WithLabelValues(kind).Set(float64(n))
	}
}

// metrics serves the process's metrics and the journal's.
func (c *console) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(books{c})
	return promhttp.HandlerFor(prometheus.Gatherers{c.Metrics.registry, registry},
		promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 2})
}
