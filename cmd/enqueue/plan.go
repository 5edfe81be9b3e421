package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/campaigns/span"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// planFlags are those that plan and apply share.
type planFlags struct {
	horizon horizon
	offline bool
}

// horizon is a flag that takes days, such as 7d.
type horizon time.Duration

// Set reads a length of time with days.
func (h *horizon) Set(text string) error {
	d, err := span.Parse(text)
	*h = horizon(d)
	return err
}

// String writes whole days as d.
func (h *horizon) String() string { return span.Format(time.Duration(*h)) }

// Type is what help shows in a value's place.
func (h *horizon) Type() string { return "duration" }

func (f *planFlags) add(cmd *cobra.Command) {
	f.horizon = horizon(7 * span.Day)
	cmd.Flags().Var(&f.horizon, "horizon", "how far ahead to look, such as 36h or 7d")
}

func (a *app) planCommand() *cobra.Command {
	var flags planFlags
	var save string
	var detailed bool
	cmd := &cobra.Command{
		Use:   "plan FILE…",
		Short: "Show what would happen, and what it costs, before anything does",
		Long: "Shows new, changed, removed and unchanged campaigns, the operations that are due now, the\n" +
			"occurrences to come, what they cost, the room in each budget, and what is worth a warning.\nNothing is changed.",
		Example: "  enqueue plan campaigns.yaml --horizon 30d --out plan.json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := a.load(args)
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), need{key: !flags.offline, alone: true}, func(s *session) error {
				opt := operator.Options{Horizon: time.Duration(flags.horizon), Offline: flags.offline}
				p, err := s.Plan(cmd.Context(), files, opt)
				if err != nil {
					return err
				}
				if err := a.showPlan(a.out, a.format, p); err != nil {
					return err
				}
				if err := savePlan(s, p, args, save); err != nil {
					return err
				}
				if detailed && p.Changes() {
					return &coded{code: exitChanges}
				}
				return nil
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&flags.offline, "offline", false, "ask the marketplace nothing: no quotes, no balance")
	cmd.Flags().StringVar(&save, "out", "", "save the plan to a file, for apply --plan")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 3 where there are changes")
	return a.allFlag(cmd)
}

// savePlan writes a plan with full paths, so that it can be applied from anywhere.
func savePlan(s *session, p *operator.Plan, paths []string, to string) error {
	if to == "" {
		return nil
	}
	full := make([]string, len(paths))
	for i, path := range paths {
		var err error
		if full[i], err = filepath.Abs(path); err != nil {
			return err
		}
	}
	saved, err := s.Save(p, full)
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(saved, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(to, append(b, '\n'), 0o600)
}

// savedPlan reads a saved plan and its spec files.
func (a *app) savedPlan(path string) (*operator.Saved, []*campaigns.File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, &coded{exitUsage, err}
	}
	var saved operator.Saved
	if err := json.Unmarshal(b, &saved); err != nil || len(saved.Files) == 0 {
		return nil, nil, usage("%q is no plan that `enqueue plan --out` saved", path)
	}
	paths := make([]string, len(saved.Files))
	for i, f := range saved.Files {
		paths[i] = f.Path
	}
	files, err := a.load(paths)
	return &saved, files, err
}

// planned makes a plan from files, or again from a saved one.
func (a *app) planned(ctx context.Context, s *session, files []*campaigns.File, saved *operator.Saved, opt operator.Options) (*operator.Plan, error) {
	if saved != nil {
		return s.Replan(ctx, saved, files, opt)
	}
	return s.Plan(ctx, files, opt)
}

// soonest is how many coming occurrences a table has unless all are asked for.
const soonest = 30

// showPlan writes a plan: as a whole in JSON and YAML, as one list of
// occurrences in CSV, and in parts as tables.
func (a *app) showPlan(w io.Writer, format output.Format, p *operator.Plan) error {
	printer := output.New(w, format, output.IsTerminal(w))
	printer.All = a.all
	if format != output.Table {
		return printer.Print(occurrenceRows(p, true, true), p)
	}
	coming, head := occurrenceRows(p, false, true), "To come"
	if more := len(coming.Cells) - soonest; more > 0 && !a.all {
		coming.Cells = coming.Cells[:soonest]
		head = fmt.Sprintf("To come: the next %d; %d more with --all", soonest, more)
	}
	for _, part := range []struct {
		head string
		rows output.Rows
	}{
		{"Campaigns", changeRows(p)},
		{"Times that an edit changes", shiftRows(p.Shifts)},
		{"Due now", occurrenceRows(p, true, false)},
		{head, coming},
		{"Budgets", budgetRows(p.Budgets)},
	} {
		if len(part.rows.Cells) == 0 {
			continue
		}
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
	for _, warning := range p.Warnings {
		if _, err := fmt.Fprintln(w, "Warning:", output.Clean(warning)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, costLine(p))
	return err
}

func costLine(p *operator.Plan) string {
	cost, later := "unknown", "unknown"
	if p.Cost != nil {
		cost = p.Cost.String() + " USD"
	}
	if p.UpcomingCost != nil {
		later = p.UpcomingCost.String() + " USD"
	}
	return fmt.Sprintf("%d operations are due now, at a cost of: %s. What is to come costs: %s.", len(p.Operations), cost, later)
}

func changeRows(p *operator.Plan) output.Rows {
	rows := output.Rows{Columns: []string{"campaign", "change", "state", "items", "what"}}
	for _, c := range p.Campaigns {
		what := ""
		for i, part := range c.Changes {
			if i > 0 {
				what += ", "
			}
			what += part
		}
		rows.Cells = append(rows.Cells, []string{c.Name, string(c.Change), string(c.State), fmt.Sprint(c.Items), what})
	}
	return rows
}

// occurrenceRows are what is due now, summed up by action and slot, and what is
// to come.
func occurrenceRows(p *operator.Plan, due, coming bool) output.Rows {
	var all []operator.Upcoming
	if due {
		all = append(all, dueRows(p)...)
	}
	if coming {
		all = append(all, p.Upcoming...)
	}
	return upcomingRows(all)
}

// upcomingRows show each slot in UTC and as its action's zone has it.
func upcomingRows(list []operator.Upcoming) output.Rows {
	rows := output.Rows{Columns: []string{"campaign", "action", "kind", "slot", "local", "items", "cost"}}
	for _, u := range list {
		rows.Cells = append(rows.Cells, []string{
			u.Campaign, u.Action, string(u.Kind), clock(u.Slot), inZone(u.Local, u.Slot), fmt.Sprint(u.Items), dollars(u.Cost),
		})
	}
	return rows
}

// inZone is a local time, where that is not the same as UTC.
func inZone(local string, slot time.Time) string {
	if local == clock(slot) {
		return ""
	}
	return local
}

// shiftRows tell what becomes of the times of actions that an edit touches.
func shiftRows(shifts []operator.Shift) output.Rows {
	rows := output.Rows{Columns: []string{"campaign", "action", "times", "still run", "dropped", "canceled", "counts from"}}
	for _, s := range shifts {
		rows.Cells = append(rows.Cells, []string{
			s.Campaign, s.Action, s.What, stretch(s.Runs), stretch(s.Dropped), fmt.Sprint(s.Canceled), clockOr(s.From),
		})
	}
	return rows
}

// stretch is a list of slots in few words.
func stretch(slots []time.Time) string {
	switch n := len(slots); n {
	case 0:
		return ""
	case 1:
		return clock(slots[0])
	default:
		return fmt.Sprintf("%d: %s to %s", n, clock(slots[0]), clock(slots[n-1]))
	}
}

func dueRows(p *operator.Plan) []operator.Upcoming {
	var out []operator.Upcoming
	at := map[string]int{}
	for _, op := range p.Operations {
		key := op.Campaign + "/" + op.Action + "/" + clock(op.Slot)
		i, found := at[key]
		if !found {
			i = len(out)
			at[key] = i
			out = append(out, operator.Upcoming{Campaign: op.Campaign, Action: op.Action, Kind: op.Kind, Slot: op.Slot, Local: p.Local(op.Campaign, op.Action, op.Slot)})
		}
		row := &out[i]
		row.Items++
		switch {
		case op.Quote != nil && (row.Items == 1 || row.Cost != nil):
			sum := *op.Quote
			if row.Cost != nil {
				sum += *row.Cost
			}
			row.Cost = &sum
		case op.Kind != planner.TeamSync:
			row.Cost = nil
		}
	}
	return out
}
