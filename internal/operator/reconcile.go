package operator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// auditPrefix begins the subjects of an audit's alerts.
const auditPrefix = "audit:"

// Reconcile is Audit, and does what can surely be done about its findings: a
// create that was told of a wrong job gets the right one, and of two jobs with
// one marker the younger is booked by hand and paused, so that its money comes
// back. All of it is told as alerts, which the next clean audit clears.
func (o *Operator) Reconcile(ctx context.Context) (*Audit, error) {
	a, s, err := o.audit(ctx)
	if err != nil {
		return nil, err
	}
	told := map[string]string{}
	if err := o.rehome(ctx, a, s, told); err != nil {
		return nil, err
	}
	for i := range a.Duplicates {
		if err := o.dropTwin(ctx, &a.Duplicates[i], s, told); err != nil {
			return nil, err
		}
	}
	if err := o.noteMissing(ctx, a); err != nil {
		return nil, err
	}
	for _, d := range s.vague {
		if s.mean == "" { // what the number counts is not known: it tells nothing
			break
		}
		if err := o.Journal.MendSeats(ctx, s.owned[d.JobID], d.Actual); err != nil {
			return nil, err
		}
	}
	for _, u := range a.Unowned {
		if planner.IsQuestion(u.Marker) {
			if err := o.takeBack(ctx, s.listed[u.JobID]); err != nil {
				return nil, err
			}
		}
	}
	a.tell(told)
	return a, o.alert(ctx, told)
}

// rehome gives creates that were told of wrong jobs the right ones.
func (o *Operator) rehome(ctx context.Context, a *Audit, s *survey, told map[string]string) error {
	for i := range a.Misplaced {
		m := &a.Misplaced[i]
		subject := fmt.Sprintf("%sowner:%d", auditPrefix, m.JobID)
		if m.Right == 0 {
			told[subject] = fmt.Sprintf("job %d is in the books as made by %s, but carries %s, and no job carries %s: look at both on the website",
				m.JobID, m.Op, m.Found, m.Marker)
			continue
		}
		done, err := o.move(ctx, m.Op, m.JobID, s.listed[m.Right])
		if err != nil {
			return err
		}
		switch done {
		case journal.Rehomed:
			m.Mended = true
			told[subject] = fmt.Sprintf("%s was told of job %d, but made job %d: the books were corrected", m.Op, m.JobID, m.Right)
		case journal.RehomeTouched:
			told[subject] = fmt.Sprintf("%s made job %d and was told of job %d, on which more has been bought or refunded since: "+
				"the books need a person", m.Op, m.Right, m.JobID)
		default:
			told[subject] = fmt.Sprintf("%s made job %d and was told of job %d: the books are corrected once nothing is under way on them",
				m.Op, m.Right, m.JobID)
		}
	}
	if len(a.Misplaced) == 0 {
		return nil
	}
	var err error
	s.owned, err = o.ownedJobs(ctx)
	return err
}

func (o *Operator) move(ctx context.Context, op string, from int64, to api.Job) (journal.Rehoming, error) {
	return o.Journal.Rehome(ctx, o.Now().UTC(), op, from, journal.Sighting{
		ID: to.ID, Status: statusOf(to.Status), Applications: to.Applications, Title: to.Title,
	})
}

// dropTwin deals with jobs that carry one marker. The oldest keeps its place;
// the others are booked by hand and paused. Where the books have none of them,
// or their create is under way, it is only told.
func (o *Operator) dropTwin(ctx context.Context, d *Duplicate, s *survey, told map[string]string) error {
	subject := auditPrefix + "duplicate:" + d.Marker
	kept := s.keeper(d)
	if kept == nil {
		told[subject] = fmt.Sprintf("jobs %s all carry %s, and the books have none of them: `enqueue recover` books the right one", list(d.Jobs), d.Marker)
		return nil
	}
	if oldest := d.Jobs[0]; kept.ID != oldest && s.owned[oldest] == nil {
		done, err := o.move(ctx, kept.Op, kept.ID, s.listed[oldest])
		if err != nil {
			return err
		}
		if done == journal.Rehomed {
			moved := *kept
			moved.ID, kept = oldest, &moved
		}
	}
	d.Kept = kept.ID
	for _, id := range d.Jobs {
		if id == d.Kept {
			continue
		}
		if own := s.owned[id]; own != nil && own.Campaign != planner.ManualCampaign && own.Op != kept.Op {
			continue // another create's: it is told as misplaced
		}
		if err := o.pauseTwin(ctx, kept, s.listed[id], s.mean); err != nil {
			return err
		}
		d.Paused = append(d.Paused, id)
	}
	told[subject] = fmt.Sprintf("jobs %s all carry %s: job %d keeps its place, and %s is booked under campaign %s, and paused "+
		"where it is online, so that its money comes back", list(d.Jobs), d.Marker, d.Kept, list(d.Paused), planner.ManualCampaign)
	return nil
}

// keeper is the job of several with one marker that its create has.
func (s *survey) keeper(d *Duplicate) *journal.Job {
	for _, id := range d.Jobs {
		if own := s.owned[id]; own != nil && own.Marker() == d.Marker {
			return own
		}
	}
	return nil
}

// pauseTwin books a second job of one create at the price of the first, and
// pauses it.
func (o *Operator) pauseTwin(ctx context.Context, kept *journal.Job, twin api.Job, mean executor.SeatsMean) error {
	now := o.Now().UTC()
	cost, seats, err := o.priceOfTwin(ctx, kept, twin, mean)
	if err != nil {
		return err
	}
	slot := madeAt(twin, now).Truncate(time.Second)
	item := fmt.Sprintf("job-%d", twin.ID)
	_, err = o.Journal.Recover(ctx, now, journal.Recovered{
		Op: planner.Operation{
			ID:       planner.NewID(planner.ManualCampaign, planner.ActionAdopt, item, slot),
			Campaign: planner.ManualCampaign, Action: planner.ActionAdopt, Item: item, Kind: planner.Create, Slot: slot, Seats: seats,
			Because: fmt.Sprintf("%s made a second job", kept.Op),
		},
		Job: journal.Job{
			ID: twin.ID, Item: item, Slot: slot, Status: statusOf(twin.Status), Seats: seats,
			Price: twin.Price, Applications: twin.Applications, Title: twin.Title,
		},
		Cost: cost, At: now,
		Limits: journal.Unlimited(planner.ManualCampaign),
	})
	if err != nil || twin.Status == api.JobFinished {
		return err
	}
	pause := planner.OnJob(planner.ManualCampaign, planner.ActionAudit, planner.Pause, planner.Job{ID: twin.ID, Item: item}, now.Truncate(time.Second))
	pause.Because = fmt.Sprintf("job %d is a second job of %s", twin.ID, kept.Op)
	_, err = o.queue(ctx, []planner.Operation{pause})
	return err
}

// priceOfTwin is what a second job of a create did cost: as much as the first
// where it has as many seats. A person may have bought more. Of a finished job the
// number tells nothing.
func (o *Operator) priceOfTwin(ctx context.Context, kept *journal.Job, twin api.Job, mean executor.SeatsMean) (money.USD, int, error) {
	op, err := o.Journal.Get(ctx, kept.Op)
	if err == nil && op.Cost != nil {
		seats, left, total := boughtSeats(op), twin.Seats+twin.Applications, twin.Seats
		alike := twin.Status == api.JobFinished ||
			left == seats && mean != executor.SeatsAreTotal || total == seats && mean != executor.SeatsAreLeft
		if seats > 0 && alike {
			return *op.Cost, seats, nil
		}
	}
	seats, err := o.seats(ctx, twin)
	if err != nil {
		return 0, 0, err
	}
	cost, err := o.Executor.QuoteSeats(ctx, twin, seats)
	return cost, seats, err
}

// takeBack books a job that a question for a price made, and whose answer was
// lost, and pauses it.
func (o *Operator) takeBack(ctx context.Context, job api.Job) error {
	if frozen, err := o.Journal.Frozen(ctx); err != nil || len(frozen) > 0 {
		return err
	}
	seats, err := o.seats(ctx, job)
	if err != nil {
		return err
	}
	cost, err := o.Executor.QuoteSeats(ctx, job, seats)
	if reason, unfit := executor.Unfit(err); unfit {
		o.Log.WarnContext(ctx, "the price of a job that a question made is not known", "job", job.ID, "why", reason)
	} else if err != nil {
		return err
	}
	asked, _ := planner.MarkerSlot(executor.MarkerOf(job))
	return o.Executor.TakeBack(ctx, executor.Accident{
		JobID: job.ID, Title: job.Title, Seats: seats, Price: job.Price, Cost: cost, Asked: asked,
	})
}

// noteMissing writes deleted jobs down.
func (o *Operator) noteMissing(ctx context.Context, a *Audit) error {
	now := o.Now().UTC()
	for _, m := range a.Missing {
		if err := o.Journal.See(ctx, now, []journal.Sighting{{ID: m.JobID, Status: journal.JobGone}}); err != nil {
			return err
		}
		if err := o.Journal.Alert(ctx, now, fmt.Sprintf("job:%d", m.JobID), fmt.Sprintf(
			"job %d of campaign %s was deleted on the marketplace: nothing more is done to it", m.JobID, m.Campaign)); err != nil {
			return err
		}
	}
	return nil
}

// tell writes what a person should know of the rest.
func (a *Audit) tell(told map[string]string) {
	if a.drifted() {
		text := fmt.Sprintf("the account holds %s USD, and %s by the books", a.BalanceActual, a.BalanceExpected)
		if a.Moving > 0 {
			text += fmt.Sprintf(", of which %s may be on its way", a.Moving)
		}
		told[auditPrefix+"drift"] = text + ": a deposit, a purchase or a refund that is not in the books; " +
			"once you know which, `enqueue audit --accept-drift` takes it as it is"
	}
	for _, d := range a.SeatDifferences {
		told[fmt.Sprintf("%sseats:%d", auditPrefix, d.JobID)] = fmt.Sprintf(
			"job %d of %s (%s) has %d seats, and %d were bought by the books", d.JobID, d.Campaign, d.Item, d.Actual, d.Expected)
	}
	handled := map[int64]bool{}
	for _, d := range a.Duplicates {
		for _, id := range d.Jobs {
			handled[id] = d.Kept != 0
		}
	}
	for _, m := range a.Misplaced {
		handled[m.Right] = true
	}
	for _, u := range a.Unowned {
		if !handled[u.JobID] {
			told[fmt.Sprintf("%sunowned:%d", auditPrefix, u.JobID)] = u.advice()
		}
	}
}

// advice says what a person can do about a job that is in nobody's books.
func (u *Unowned) advice() string {
	text := fmt.Sprintf("job %d (%s) carries %s and is in nobody's books: ", u.JobID, u.Title, u.Marker)
	if planner.IsQuestion(u.Marker) {
		return text + fmt.Sprintf("a question for a price made it; it is booked under campaign %s and paused, so that its money comes back",
			planner.ManualCampaign)
	}
	switch u.State {
	case "":
		return text + "`enqueue recover FILE` books it where a spec explains it"
	case planner.Parked:
		return text + fmt.Sprintf("`enqueue resolve %s --applied --job-id %d` books it", u.Op, u.JobID)
	}
	return text + fmt.Sprintf("%s, which the marker tells of, is %s; pause it with `enqueue api pause %d`, or list it under `adopt`",
		u.Op, u.State, u.JobID)
}

// alert writes the alerts of an audit and clears those of the last that do not
// hold any more.
func (o *Operator) alert(ctx context.Context, told map[string]string) error {
	had, err := o.Journal.Alerts(ctx)
	if err != nil {
		return err
	}
	same := map[string]bool{}
	for _, a := range had {
		text, still := told[a.Subject]
		switch {
		case !strings.HasPrefix(a.Subject, auditPrefix):
		case !still:
			if err := o.Journal.ClearAlert(ctx, a.Subject); err != nil {
				return err
			}
		case text == a.Message:
			same[a.Subject] = true // it keeps its date
		}
	}
	for subject, text := range told {
		if same[subject] {
			continue
		}
		o.Log.WarnContext(ctx, "the audit found", "what", text)
		if err := o.Journal.Alert(ctx, o.Now(), subject, text); err != nil {
			return err
		}
	}
	return nil
}

// AcceptDrift takes the balance as it is for what the books expect: a person
// knows what explains the difference. It returns what was accepted, in USD.
func (o *Operator) AcceptDrift(ctx context.Context) (money.USD, error) {
	a, err := o.Audit(ctx)
	if err != nil {
		return 0, err
	}
	if a.Drift == nil || *a.Drift == 0 {
		return 0, nil
	}
	account, err := o.Journal.Account(ctx)
	if err != nil {
		return 0, err
	}
	if account.Inflight > 0 {
		return 0, fmt.Errorf("%d operations that move money are on their way or in doubt: wait until they are settled", account.Inflight)
	}
	if err := o.Journal.Reanchor(ctx, account, account.Anchor+*a.Drift); err != nil {
		return 0, err
	}
	return *a.Drift, o.Journal.ClearAlert(ctx, auditPrefix+"drift")
}

func list(ids []int64) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = fmt.Sprint(id)
	}
	return strings.Join(texts, ", ")
}
