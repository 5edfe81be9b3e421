package main

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/campaigns/span"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/simulation"
)

// simulateFlags are what a simulation is told beside its files.
type simulateFlags struct {
	length, fill  horizon
	from, balance string
	seed          uint64
}

func (a *app) simulateCommand() *cobra.Command {
	f := simulateFlags{length: horizon(30 * span.Day), fill: horizon(2 * span.Day)}
	cmd := &cobra.Command{
		Use:   "simulate FILE…",
		Short: "Run campaigns for weeks of virtual time, in seconds, against a simulated marketplace",
		Long: "Applies the files on a virtual clock and lets time pass: the real planner, executor and budgets, a\n" +
			"simulated marketplace with workers of its own, and a journal in memory. Shows the spend per day and\n" +
			"campaign, and which limits are reached when. Nothing outside is read or touched. The same files,\n" +
			"--from and --seed give the same result. Prices are the simulation's, near those of the reference.",
		Example: "  enqueue simulate campaigns.yaml --for 30d\n  enqueue simulate campaigns.yaml --for 90d --from 2026-12-01 --seed 7 -o json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := a.load(args)
			if err != nil {
				return err
			}
			cfg, err := f.config(a)
			if err != nil {
				return err
			}
			cfg.Files = files
			progress := output.NewProgress(a.err, output.IsTerminal(a.err), a.now)
			days := int(cfg.For / span.Day)
			cfg.Progress = func(now time.Time) {
				progress.Set("days", int(now.Sub(cfg.From)/span.Day), days, now.Format(time.DateOnly))
			}
			r, err := simulation.Run(cmd.Context(), cfg)
			progress.Close()
			if err != nil {
				return err
			}
			return a.showSimulation(a.out, r)
		},
	}
	cmd.Flags().Var(&f.length, "for", "how long the campaigns run, such as 36h or 30d")
	cmd.Flags().StringVar(&f.from, "from", "", "when the files are applied, such as 2026-12-01 or 2026-12-01T09:00:00Z (default: now)")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "decides who works when, and what is handed in")
	cmd.Flags().StringVar(&f.balance, "balance", "1000", "what the account starts with, in USD")
	cmd.Flags().Var(&f.fill, "fill-in", "how long the seats of a purchase take to fill, on average")
	return a.allFlag(cmd)
}

// config checks the flags.
func (f *simulateFlags) config(a *app) (simulation.Config, error) {
	cfg := simulation.Config{
		For: time.Duration(f.length), Seed: f.seed, FillIn: time.Duration(f.fill), Interval: a.set.RateLimit.Interval(),
		Log: slog.New(slog.DiscardHandler), From: a.now().UTC().Truncate(time.Second),
	}
	if cfg.For <= 0 || cfg.FillIn <= 0 {
		return cfg, usage("--for and --fill-in must be above zero, such as 30d")
	}
	var err error
	if cfg.Balance, err = money.Parse(f.balance); err != nil || cfg.Balance <= 0 {
		return cfg, usage("--balance %q is no amount above zero, such as 500", f.balance)
	}
	if f.from == "" {
		return cfg, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if cfg.From, err = time.Parse(layout, f.from); err == nil {
			cfg.From = cfg.From.UTC()
			return cfg, nil
		}
	}
	return cfg, usage("--from %q is no time: give one such as 2026-12-01 or 2026-12-01T09:00:00Z", f.from)
}

// showSimulation writes a result: as a whole in JSON and YAML, as its days in
// CSV, and in parts as tables with a chart.
func (a *app) showSimulation(w io.Writer, r *simulation.Result) error {
	printer := output.New(w, a.format, output.IsTerminal(w))
	printer.All = a.all
	days := simulatedDays(r)
	if a.format != output.Table {
		return printer.Print(days, r)
	}
	head := "Spend per day and campaign"
	if more := len(days.Cells) - output.NewestRows; more > 0 && !a.all && output.IsTerminal(w) {
		days.Cells = days.Cells[:output.NewestRows]
		head = fmt.Sprintf("%s: the first %d rows; %d more with --all", head, output.NewestRows, more)
	}
	for _, part := range []struct {
		head string
		rows output.Rows
	}{
		{head, days},
		{"Limits reached", reachedRows(r)},
		{"In all", simulatedCampaigns(r)},
	} {
		if _, err := fmt.Fprintf(w, "%s\n", part.head); err != nil {
			return err
		}
		if err := printer.Print(part.rows, nil); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(w, chart(r)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "From %s to %s, seed %d: %s. The account holds %s USD in the end.\n",
		clock(r.From), clock(r.To), r.Seed, countText(r.Operations), r.Balance)
	return err
}

func countText(counts map[planner.State]int) string {
	var parts []string
	for _, s := range planner.States() {
		if n := counts[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if len(parts) == 0 {
		return "no operations"
	}
	return strings.Join(parts, ", ")
}

func simulatedDays(r *simulation.Result) output.Rows {
	rows := output.Rows{
		Columns: []string{"date", "campaign", "operations", "charged", "refunded", "net"},
		Empty:   "Nothing happens in this time.",
	}
	for _, d := range r.Days {
		rows.Cells = append(rows.Cells, []string{
			d.Date, d.Campaign, strconv.Itoa(d.Operations), d.Charged.String(), d.Refunded.String(), d.Net.String(),
		})
	}
	return rows
}

func reachedRows(r *simulation.Result) output.Rows {
	rows := output.Rows{
		Columns: []string{"at", "scope", "window", "limit", "times", "first operation"},
		Empty:   "None: every budget has room to the end.",
	}
	for _, l := range r.Reached {
		rows.Cells = append(rows.Cells, []string{clock(l.At), l.Scope, l.Window, l.Limit, strconv.Itoa(l.Times), l.Operation})
	}
	return rows
}

func simulatedCampaigns(r *simulation.Result) output.Rows {
	rows := output.Rows{Columns: []string{"campaign", "jobs", "seats", "filled", "charged", "refunded", "net"}}
	for _, c := range r.Campaigns {
		rows.Cells = append(rows.Cells, []string{
			c.Name, strconv.Itoa(c.Jobs), strconv.Itoa(c.Seats), strconv.Itoa(c.Filled),
			c.Charged.String(), c.Refunded.String(), c.Net.String(),
		})
	}
	return rows
}

// bars are the heights of a chart, the lowest first.
var bars = []rune("▁▂▃▄▅▆▇█")

// widest is how many days a line of the chart has at most; more share a column.
const widest = 90

// chart draws what each campaign was charged, a column a day.
func chart(r *simulation.Result) string {
	first, last := r.From.Add(-span.Day), r.To.Add(span.Day) // zones reach into the days around
	var dates []string
	for t := first; !t.After(last); t = t.Add(span.Day) {
		dates = append(dates, t.Format(time.DateOnly))
	}
	per := (len(dates) + widest - 1) / widest
	var b strings.Builder
	name := 0
	for _, c := range r.Campaigns {
		name = max(name, len(c.Name))
	}
	for _, c := range r.Campaigns {
		columns := make([]money.USD, (len(dates)+per-1)/per)
		var most money.USD
		for _, d := range r.Days {
			if i := slices.Index(dates, d.Date); d.Campaign == c.Name && i >= 0 {
				columns[i/per] += d.Charged
				most = max(most, columns[i/per])
			}
		}
		fmt.Fprintf(&b, "%-*s  %s  at most %s\n", name, c.Name, sparkline(columns, most), most)
	}
	if b.Len() == 0 {
		return ""
	}
	every := "a day"
	if per > 1 {
		every = fmt.Sprintf("%d days", per)
	}
	return fmt.Sprintf("Charged, %s a column, from %s to %s\n%s\n", every, dates[0], dates[len(dates)-1], &b)
}

// sparkline draws amounts as bars; nothing is a dot.
func sparkline(amounts []money.USD, most money.USD) string {
	line := make([]rune, len(amounts))
	for i, amount := range amounts {
		line[i] = '·'
		if amount > 0 {
			line[i] = bars[int64(amount)*int64(len(bars)-1)/int64(most)]
		}
	}
	return string(line)
}
