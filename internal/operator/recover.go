package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// Recovery is what became of one job with our marker.
type Recovery struct {
	JobID    int64     `json:"job_id"`
	Title    string    `json:"title"`
	Marker   string    `json:"marker"`
	Slot     time.Time `json:"slot"`
	Campaign string    `json:"campaign"`
	Action   string    `json:"action"`
	Item     string    `json:"item"`
	// Outcome is recovered, known, duplicate or unexplained.
	Outcome string `json:"outcome"`
	Cost    string `json:"cost"`
}

// The outcomes of a recovery.
const (
	outcomeRecovered   = "recovered"
	outcomeKnown       = "known"
	outcomeDuplicate   = "duplicate"
	outcomeUnexplained = "unexplained"
)

// origin is a create that a marker may tell of.
type origin struct {
	spec   *campaigns.Campaign
	action *campaigns.Action
	item   string
	// name is the marker without its slot.
	name string
}

// creates are all creates that a campaign can make, by item.
func creates(c *campaigns.Campaign) []origin {
	var out []origin
	for i := range c.Actions {
		a := &c.Actions[i]
		if a.Do != campaigns.DoCreate {
			continue
		}
		for _, item := range c.Items {
			out = append(out, origin{c, a, item.Key, planner.MarkerName(planner.Marker(c.Name, a.ID, item.Key, time.Unix(0, 0)))})
		}
	}
	return out
}

// Recover writes a lost journal anew. It reads every job of the marketplace and
// books each one with a marker that a spec explains: as applied, with its job and
// what its seats cost. The campaigns of those jobs are registered; others are
// left to an apply. Nothing is created: items of a `now` create for which no job
// was found are written as skipped, and a person may retry them. Repeated, it
// finds everything known. The rows are in order of time.
func (o *Operator) Recover(ctx context.Context, files []*campaigns.File) ([]Recovery, error) {
	return o.recoverJobs(ctx, files, nil)
}

// recoverJobs is Recover after the sends of some logs were written anew:
// compared holds the highest number of each.
func (o *Operator) recoverJobs(ctx context.Context, files []*campaigns.File, compared map[string]int64) ([]Recovery, error) {
	if err := checkTogether(files); err != nil {
		return nil, err
	}
	if _, err := o.Account(ctx); err != nil {
		return nil, err
	}
	jobs, err := o.markedJobs(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(jobs, func(a, b marked) int { return cmp.Compare(a.ID, b.ID) })
	r := &recovering{o: o, now: o.Now().UTC(), compared: compared, newest: map[string]time.Time{}, by: map[string]bool{}, held: map[string]bool{}}
	if err := r.register(ctx, files, jobs); err != nil {
		return nil, err
	}
	for _, m := range jobs {
		if err := r.job(ctx, m); err != nil {
			return r.rows, err
		}
	}
	return r.rows, r.finish(ctx)
}

// register finds what the markers may tell of, and registers the campaigns of
// the jobs that are there. They are paused, so that no runner acts on them
// before all of their jobs are known.
func (r *recovering) register(ctx context.Context, files []*campaigns.File, jobs []marked) error {
	regs, err := r.o.registered(ctx)
	if err != nil {
		return err
	}
	r.origins = map[string]origin{}
	known := map[string]bool{}
	for _, reg := range regs {
		known[reg.Spec.Name] = reg.State != journal.Paused || reg.Reason != reasonRecovering
		r.addOrigins(reg.Spec)
	}
	for _, f := range files {
		for i := range f.Campaigns {
			r.addOrigins(&f.Campaigns[i])
		}
	}
	for _, m := range jobs {
		or, explained := r.origins[planner.MarkerName(m.marker)]
		if !explained || known[or.spec.Name] {
			continue
		}
		known[or.spec.Name] = true
		if err := r.o.Journal.RegisterPaused(ctx, r.now, or.spec, reasonRecovering); err != nil {
			return err
		}
		r.specs = append(r.specs, or.spec)
	}
	return nil
}

func (r *recovering) addOrigins(c *campaigns.Campaign) {
	for _, or := range creates(c) {
		r.origins[or.name] = or
	}
}

// reasonRecovering is why a campaign is paused while its jobs are looked for.
const reasonRecovering = "its jobs are being recovered: run `enqueue recover` again if that was cut short"

// recovering is the state of one recovery.
type recovering struct {
	o       *Operator
	now     time.Time
	origins map[string]origin
	// specs are the campaigns that this recovery registered.
	specs []*campaigns.Campaign
	rows  []Recovery
	// by holds the markers and held the operations that were found.
	by, held map[string]bool
	// newest is the newest slot of each `now` create, by campaign and action.
	newest map[string]time.Time
	lost   int
	// compared is Recovered.Compared.
	compared map[string]int64
}

func (r *recovering) job(ctx context.Context, m marked) error {
	slot, _ := planner.MarkerSlot(m.marker)
	row := Recovery{JobID: m.ID, Title: m.Title, Marker: m.marker, Slot: slot}
	or, explained := r.origins[planner.MarkerName(m.marker)]
	var err error
	switch {
	case r.by[m.marker]:
		row.Outcome = outcomeDuplicate
	case !explained:
		row.Outcome, err = r.unexplained(ctx, m)
	default:
		err = r.book(ctx, m, or, slot, &row)
	}
	if err != nil {
		return err
	}
	r.rows = append(r.rows, row)
	r.by[m.marker] = true
	return nil
}

// unexplained tells a job of a manual create, which the journal may know, from
// one whose spec is missing.
func (r *recovering) unexplained(ctx context.Context, m marked) (string, error) {
	_, err := r.o.Journal.Job(ctx, m.ID)
	if !errors.Is(err, journal.ErrNotFound) {
		return outcomeKnown, err
	}
	r.lost++
	return outcomeUnexplained, nil
}

// book writes one create anew.
func (r *recovering) book(ctx context.Context, m marked, or origin, slot time.Time, row *Recovery) error {
	row.Campaign, row.Action, row.Item = or.spec.Name, or.action.ID, or.item
	key := or.spec.Name + "/" + or.action.ID
	if or.action.Now && slot.After(r.newest[key]) {
		r.newest[key] = slot
	}
	seats, err := r.o.seats(ctx, m.Job)
	if err != nil {
		return err
	}
	if m.Status == api.JobFinished {
		// What was not filled came back when it was finished.
		seats = m.Applications
	}
	id := planner.NewID(or.spec.Name, or.action.ID, or.item, slot)
	r.held[id] = true
	rec := journal.Recovered{
		Op: planner.Operation{
			ID: id, Campaign: or.spec.Name, Action: or.action.ID,
			Item: or.item, Kind: planner.Create, Slot: slot, Seats: seats,
		},
		Job: journal.Job{
			ID: m.ID, Item: or.item, Slot: slot, Status: statusOf(m.Status), Seats: seats,
			Price: m.Price, Applications: m.Applications, Title: m.Title,
		},
		At: madeAt(m.Job, slot), Limits: journal.Limits(or.spec, madeAt(m.Job, slot)), Compared: r.compared,
	}
	if seats > 0 {
		if rec.Cost, err = r.o.Executor.QuoteSeats(ctx, m.Job, seats); err != nil {
			return fmt.Errorf("price of job %d: %w", m.ID, err)
		}
	}
	written, err := r.o.Journal.Recover(ctx, r.now, rec)
	if err != nil {
		return err
	}
	row.Outcome, row.Cost = outcomeKnown, rec.Cost.String()
	if written {
		row.Outcome = outcomeRecovered
	}
	return nil
}

func madeAt(job api.Job, slot time.Time) time.Time {
	if job.CreatedAt.IsZero() {
		return slot
	}
	return job.CreatedAt.UTC()
}

// finish gives `now` creates their slots back, holds off what was not found,
// remembers what nobody explained, and lets the campaigns run.
func (r *recovering) finish(ctx context.Context) error {
	for _, c := range r.specs {
		if err := r.holdOff(ctx, c); err != nil {
			return err
		}
	}
	fact := ""
	if r.lost > 0 {
		fact = fmt.Sprint(r.lost)
	}
	if err := r.o.Journal.Remember(ctx, factUnexplained, fact); err != nil {
		return err
	}
	for _, c := range r.specs {
		if err := r.o.Journal.Steer(ctx, r.now, c.Name, journal.Active, ""); err != nil {
			return err
		}
	}
	return nil
}

// holdOff keeps a `now` create in its newest slot, and writes a skipped
// operation for each item without a job of that slot: whether it was never made,
// or was made and deleted, only a person can tell.
func (r *recovering) holdOff(ctx context.Context, c *campaigns.Campaign) error {
	for i := range c.Actions {
		a := &c.Actions[i]
		if a.Do != campaigns.DoCreate || !a.Now {
			continue
		}
		slot, found := r.newest[c.Name+"/"+a.ID]
		if !found {
			slot = r.now.Truncate(time.Second)
		}
		if err := r.o.Journal.SetWatermark(ctx, journal.Entry{Campaign: c.Name, Action: a.ID, Watermark: slot}); err != nil {
			return err
		}
		var rows []journal.New
		for _, op := range planner.Expand(c, a, slot, nil) {
			if r.held[op.ID] {
				continue
			}
			rows = append(rows, journal.New{Operation: op, State: planner.Skipped, Error: "no job of it was found when the journal " +
				"was recovered: if it was never made, `enqueue retry` makes it"})
		}
		if _, err := r.o.Journal.Create(ctx, r.now, nil, rows); err != nil {
			return err
		}
	}
	return nil
}
