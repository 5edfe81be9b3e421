package simtest

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/executor"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// heedless tells the runs in which the marketplace overlooks get_cost now and
// then, and makes the job whose price was asked for.
func heedless(seed uint64) bool {
	return (seed%13 == 6 || seed%13 == 9) && !alone(seed) && !loses(seed)
}

var getCost = regexp.MustCompile(`"get_cost":[^,}]*,?`)

// overlook has the marketplace not see get_cost. A question that lands late does
// not make a job: that one would be a create that nobody waits for any more.
func (w *world) overlook(p *packet) {
	if heedless(w.seed) && p.route == "quote" && p.fault != faultLate && w.chance(600) {
		p.body = getCost.ReplaceAll(p.body, nil)
		p.overlooked = true
	}
}

// byMistake notes a job that a question made.
func (c *watch) byMistake(p *packet, job sandbox.JobBooks) {
	c.w.tally.mistakes++
	c.disturbed = true
	t := c.ops[p.op]
	if t == nil { // a plan asked
		c.asked[job.JobID] = true
		return
	}
	if t.overlooked == nil {
		t.overlooked = map[int64]money.USD{}
	}
	t.overlooked[job.JobID] = job.Charged
}

// markers holds that no two jobs with one marker are made. One that was made by
// mistake is paused before another is bought in its place. Questions that are asked
// for no create share theirs within a second.
func (c *watch) markers(p *packet, b sandbox.Books) {
	online := map[string]int{}
	for _, j := range b.Jobs {
		if j.Status != sandbox.JobFinished && !c.touched[j.JobID] { // whose marker a person took away is not found
			online[j.Marker]++
		}
	}
	for marker, n := range b.Creates {
		if !strings.HasPrefix(marker, planner.MarkerPrefix) || n < 2 || planner.IsQuestion(marker) {
			continue
		}
		made := len(b.Jobs) > 0 && b.Jobs[len(b.Jobs)-1].Marker == marker && (p.route == "create" || p.overlooked)
		if !heedless(c.w.seed) || made && online[marker] > 1 {
			c.w.fail("%d jobs carry the marker %s", n, marker)
		}
	}
}

// adopted tells that an audit booked a job by hand, and holds its price against
// what the job did cost. How many seats one had that had ended by then, nothing
// tells, nor of any other before it is known what their number counts.
func (c *watch) adopted(t *truth, r row) bool {
	if t.Action != planner.ActionAdopt {
		return false
	}
	if c.priced[r.id] {
		return true
	}
	c.priced[r.id] = true
	mean, err := c.w.books.Recall(context.Background(), executor.FactSeats)
	must(err)
	if mean == "" {
		return true
	}
	for _, j := range c.w.box.Books().Jobs {
		if t.Item != fmt.Sprintf("job-%d", j.JobID) && t.Item != fmt.Sprintf("quote-%d", j.JobID) || c.touched[j.JobID] || len(j.Effects) == 0 {
			continue
		}
		op, err := c.w.books.Get(context.Background(), r.id)
		must(err)
		ended := slices.ContainsFunc(j.Effects, func(e sandbox.Effect) bool {
			return slices.Contains([]string{"pause", "filled", "finish"}, e.Kind) && !e.At.After(op.CreatedAt)
		})
		if r.cost == 0 && strings.HasPrefix(t.Item, "quote-") {
			continue // the answer that told it was lost
		}
		if paid := j.Effects[0].Charged; r.cost != paid && !ended {
			c.w.fail("%s books job %d at %s, and it did cost %s", r.id, j.JobID, r.cost, paid)
		}
	}
	return true
}

// booked tells that a create took the job that its question made for its own, at
// its price, and bought nothing else.
func (c *watch) booked(t *truth, r row) bool {
	if t.state != planner.Applied || len(t.overlooked) == 0 {
		return false
	}
	op, err := c.w.books.Get(context.Background(), r.id)
	must(err)
	cost, mistaken := t.overlooked[op.JobID]
	if !mistaken {
		return false
	}
	if t.effects != 0 || r.cost != cost {
		c.w.fail("%s took job %d, made by a question for %s, at %s, and was done %d times", r.id, op.JobID, cost, r.cost, t.effects)
	}
	return true
}

// takenBack tells that a job was made by mistake and is nobody's. It must be off
// the market, or people must have been told of it.
func (c *watch) takenBack(job sandbox.JobBooks) bool {
	mistaken, owner := c.asked[job.JobID], ""
	for _, id := range c.order {
		t := c.ops[id]
		if _, found := t.overlooked[job.JobID]; found {
			mistaken, owner = true, id
		}
	}
	if !mistaken {
		return false
	}
	ours, err := c.w.books.Job(context.Background(), job.JobID)
	if err == nil && ours.Op == owner && owner != "" {
		c.w.tally.kept++
		return false
	}
	c.w.tally.undone++
	if job.Status != sandbox.JobFinished && !c.told(job.JobID) {
		c.w.fail("job %d was made by a question of %s, is for sale, and nobody was told", job.JobID, owner)
	}
	return true
}

// told tells that people were told of a job.
func (c *watch) told(job int64) bool {
	alerts, err := c.w.books.Alerts(context.Background())
	must(err)
	return slices.ContainsFunc(alerts, func(a journal.Alert) bool {
		return strings.Contains(a.Message, fmt.Sprintf("job %d", job))
	})
}

// judgeMistakes demands that both ends of a mistake were met.
func (t *tally) judgeMistakes(tb testing.TB, seeds int) {
	tb.Logf("%d questions made jobs: %d became their creates', %d were taken back", t.mistakes, t.kept, t.undone)
	if seeds >= 2000 && (t.kept == 0 || t.undone == 0) {
		tb.Error("a question that makes a job was not met in both its ends")
	}
}
