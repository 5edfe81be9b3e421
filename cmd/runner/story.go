package main

import (
	"context"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// tally is what became of one campaign so far.
type tally struct {
	jobs, online  int
	seats, filled int
	done          map[planner.Kind]int
	verdicts      map[string]int
	skipped       int
	waiting       int
	spent, cap    money.USD
	latched       bool
	needsPerson   int
	refused       int
}

// lookEvery is how often the demonstration looks at the books.
const lookEvery = 500 * time.Millisecond

// watch applies the spec, tells what happens until the simulated week is over,
// and closes with a table.
func (d *demo) watch(ctx context.Context) error {
	fmt.Fprintf(d.stderr, "a simulated marketplace and a runner are up; a day takes %v\n", 24*time.Hour/demoScale)
	fmt.Fprintf(d.stderr, "console: http://%s/\n", d.runner.Addr())
	if err := d.apply(ctx); err != nil {
		return err
	}
	progress := output.NewProgress(d.stderr, d.tty(), time.Now)
	err := d.follow(ctx, progress)
	progress.Close()
	if err != nil {
		return err
	}
	if err := d.close(ctx); err != nil {
		return err
	}
	if d.stay {
		fmt.Fprintf(d.stderr, "the console stays up at http://%s/ until Ctrl-C\n", d.runner.Addr())
		<-ctx.Done()
	}
	return nil
}

// follow tells what happens until the time is over and nothing is on its way.
func (d *demo) follow(ctx context.Context, progress *output.Progress) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	end := d.start.Add(demoDays * 24 * time.Hour)
	before := map[string]*tally{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-d.runner.Failed():
			return err
		case <-ticker.C:
		}
		now, err := d.tally(ctx)
		if err != nil {
			return err
		}
		for i := range d.file.Campaigns {
			name := d.file.Campaigns[i].Name
			d.tell(progress, name, before[name], now[name])
		}
		before = now
		if d.now().After(end) {
			return nil
		}
	}
}

// tally counts the books of each campaign.
func (d *demo) tally(ctx context.Context) (map[string]*tally, error) {
	out := map[string]*tally{}
	for i := range d.file.Campaigns {
		c := &d.file.Campaigns[i]
		t := &tally{done: map[planner.Kind]int{}, verdicts: map[string]int{}, cap: -1}
		out[c.Name] = t
		jobs, err := d.runner.Journal.Jobs(ctx, c.Name)
		if err != nil {
			return nil, err
		}
		for _, job := range jobs {
			t.jobs++
			t.seats += job.Seats
			t.filled += job.Filled()
			t.spent += job.Charged - job.Refunded
			if job.Status == journal.JobOnline {
				t.online++
			}
		}
		b, err := d.runner.Journal.Budget(ctx, journal.Limits(c, d.now())[0])
		if err != nil {
			return nil, err
		}
		t.cap, t.latched = b.Cap, !b.Latched.IsZero()
		ops, err := d.runner.Journal.Ops(ctx, journal.Filter{Campaign: c.Name})
		if err != nil {
			return nil, err
		}
		for _, op := range ops {
			t.count(op)
		}
	}
	return out, nil
}

func (t *tally) count(op *journal.Op) {
	switch op.State {
	case planner.Applied:
		t.done[op.Kind]++
		if op.Rating != nil {
			t.verdicts[string(op.Rating.Verdict)]++
		}
	case planner.Skipped:
		t.skipped++
	case planner.Parked:
		t.needsPerson++
	case planner.Rejected:
		t.refused++
	default:
		t.waiting++
	}
}

// told are the kinds in the order of their telling, with their words for one
// and for several.
var told = []struct {
	kind      planner.Kind
	one, many string
}{
	{planner.Create, "a job created", "%d jobs created"},
	{planner.AddSeats, "seats added to a job", "seats added to %d jobs"},
	{planner.Resume, "a job resumed", "%d jobs resumed"},
	{planner.Pause, "a job paused, its open seats refunded", "%d jobs paused, open seats refunded"},
	{planner.Restart, "a job restarted, the same workers may come again", "%d jobs restarted, the same workers may come again"},
	{planner.Update, "a job updated", "%d jobs updated"},
	{planner.Rate, "an application rated", "%d applications rated"},
}

// tell moves a campaign's bar and writes a line for what is new.
func (d *demo) tell(progress *output.Progress, name string, before, now *tally) {
	note := fmt.Sprintf("%s USD", now.spent)
	if now.cap >= 0 {
		note = fmt.Sprintf("%s of %s USD", now.spent, now.cap)
	}
	if d.tty() {
		progress.Set(name, now.filled, now.seats, note+", "+d.day())
	}
	if before == nil {
		before = &tally{done: map[planner.Kind]int{}}
	}
	if now.latched && !before.latched {
		fmt.Fprintf(progress, "%s  %s: the budget reached its threshold; jobs are paused and nothing is bought until a person resumes\n", d.day(), name)
	}
	for _, t := range told {
		switch n := now.done[t.kind] - before.done[t.kind]; {
		case n == 1:
			fmt.Fprintf(progress, "%s  %s: %s\n", d.day(), name, t.one)
		case n > 1:
			fmt.Fprintf(progress, "%s  %s: "+t.many+"\n", d.day(), name, n)
		}
	}
}

// settleWithin bounds how long the end waits for what is on its way.
const settleWithin = 15 * time.Second

// close stops the campaigns, waits for what is on its way, and prints what was
// done and spent, beside the marketplace's own books.
func (d *demo) close(ctx context.Context) error {
	for i := range d.file.Campaigns {
		if err := d.runner.Journal.Steer(ctx, d.now(), d.file.Campaigns[i].Name, journal.Paused, "the demonstration is over"); err != nil {
			return err
		}
	}
	if err := d.quiet(ctx); err != nil {
		return err
	}
	t, err := d.tally(ctx)
	if err != nil {
		return err
	}
	return d.table(t)
}

// quiet waits until no call is on its way or in doubt.
func (d *demo) quiet(ctx context.Context) error {
	deadline := time.Now().Add(settleWithin)
	for time.Now().Before(deadline) {
		counts, err := d.runner.Journal.Counts(ctx, "")
		if err != nil {
			return err
		}
		if counts[planner.Sending]+counts[planner.Unknown] == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
	}
	return nil
}

func (d *demo) table(all map[string]*tally) error {
	rows := output.Rows{Columns: []string{
		"campaign", "jobs", "seats", "filled", "seat buys", "restarts", "pauses", "resumes", "approved", "declined", "redo", "skipped", "spent", "cap", "budget",
	}}
	var spent money.USD
	for i := range d.file.Campaigns {
		name := d.file.Campaigns[i].Name
		t := all[name]
		spent += t.spent
		capText, budget := "none", "open"
		if t.cap >= 0 {
			capText = t.cap.String()
		}
		if t.latched {
			budget = "paused at its threshold"
		}
		row := []string{name}
		for _, n := range []int{
			t.jobs, t.seats, t.filled, t.done[planner.AddSeats], t.done[planner.Restart], t.done[planner.Pause], t.done[planner.Resume],
			t.verdicts["approve"], t.verdicts["decline"], t.verdicts["redo"], t.skipped,
		} {
			row = append(row, fmt.Sprint(n))
		}
		rows.Cells = append(rows.Cells, append(row, t.spent.String(), capText, budget))
	}
	if err := output.New(d.stdout, output.Table, output.IsTerminal(d.stdout)).Print(rows, nil); err != nil {
		return err
	}
	books := d.market.Books()
	fmt.Fprintf(d.stdout, "our books: %s USD spent; the marketplace's: %s charged, %s refunded, %s left of %s\n",
		spent, books.Charged, books.Refunded, books.Balance, books.Start)
	if net := books.Charged - books.Refunded; net != spent {
		return fmt.Errorf("the books differ by %s USD", net-spent)
	}
	fmt.Fprintln(d.stdout, "both agree to the millionth of a dollar")
	return nil
}
