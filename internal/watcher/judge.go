package watcher

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/rules"
)

// Decision is what the rules say of one application.
type Decision struct {
	Application api.Application
	Item        string
	Verdict     campaigns.Verdict
	Reason      string
	// Rule is the number of the rule that fitted, from 1; 0 where none did.
	Rule int
	// Held tells that the decline waits for a person, since the run declined
	// more than the action allows.
	Held bool
	// Sampled tells that the approval is one of those left to a person.
	Sampled bool
	// Planned tells that this hand-in has its operation already.
	Planned bool
	// Fault is why the rules could not be used; it is left for a person.
	Fault string
}

// history are the variables for which other answers must be known.
var history = []string{"duplicates", "earlier", "worker_approved", "worker_declined", "agreement"}

// judge decides on applications by an action's rules.
type judge struct {
	action   *campaigns.Action
	items    map[string]campaigns.Item
	compiled []*rules.Rule
	// history tells that the rules look at other answers.
	history bool
	crowd   *crowd
	now     time.Time
}

// newJudge compiles an action's rules. Texts that are used twice are compiled once.
func newJudge(a *campaigns.Action, items map[string]campaigns.Item, now time.Time) (*judge, error) {
	j := &judge{action: a, items: items, compiled: make([]*rules.Rule, len(a.Rules)), crowd: newCrowd(), now: now}
	for i, r := range a.Rules {
		c, err := rules.Compile(r.When)
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		for _, name := range history {
			j.history = j.history || c.Reads(name)
		}
		j.compiled[i] = c
	}
	return j, nil
}

// decide lets the first rule that fits decide. A rule that cannot be evaluated
// decides nothing, and nor do those after it.
func (j *judge) decide(d *Decision) {
	d.Verdict = campaigns.Leave
	f := j.facts(d)
	for i, r := range j.compiled {
		fits, err := r.Match(f)
		if err != nil {
			d.Fault = fmt.Sprintf("rule %d: %v", i+1, err)
			return
		}
		if !fits {
			continue
		}
		rule := &j.action.Rules[i]
		reason, err := rule.RenderReason(j.items[d.Item], campaigns.ReasonFacts{
			Proof: f.Proof, Worker: strconv.Itoa(f.Worker), Screenshots: strconv.Itoa(f.Screenshots), Duplicates: strconv.Itoa(f.Duplicates),
		})
		if err != nil {
			d.Fault = fmt.Sprintf("rule %d: %v", i+1, err)
			return
		}
		d.Verdict, d.Rule = rule.Verdict, i+1
		if rule.Verdict == campaigns.Decline || rule.Verdict == campaigns.Redo {
			d.Reason = reason
		}
		d.Sampled = rule.Verdict == campaigns.Approve && sampled(d.Application.ID, j.action.AuditSample)
		return
	}
}

func (j *judge) facts(d *Decision) rules.Facts {
	app, a := d.Application, answerOf(d.Application)
	f := rules.Facts{
		Proof: app.Proof, Screenshots: max(len(app.Screenshots), len(app.ScreenshotURLs)), Age: j.now.Sub(app.AppliedAt),
		Worker: int(app.UserID), Duplicates: 1, Item: j.items[d.Item].Fields,
	}
	if j.history {
		f.Duplicates, f.Earlier = j.crowd.duplicates(a)
		f.WorkerApproved = j.crowd.record(a, journal.AnswerApproved)
		f.WorkerDeclined = j.crowd.record(a, journal.AnswerDeclined)
		f.Agreement = j.crowd.agreement(d.Item, a)
	}
	return f
}

// sampled tells whether an application is in a sample of so many percent. It is
// derived from the id, so that it is the same whoever asks, and however often.
func sampled(application int64, percent int) bool {
	sum := sha256.Sum256(strconv.AppendInt([]byte("audit sample "), application, 10))
	return binary.BigEndian.Uint64(sum[:8])%100 < uint64(max(0, percent))
}

// Judge says what an action's rules decide on applications that were recorded,
// whatever became of them. Each counts among the answers of its item.
func Judge(c *campaigns.Campaign, a *campaigns.Action, list []Decision, now time.Time) error {
	items := make(map[string]campaigns.Item, len(c.Items))
	for _, item := range c.Items {
		items[item.Key] = item
	}
	j, err := newJudge(a, items, now)
	if err != nil {
		return err
	}
	for i := range list {
		j.crowd.add(list[i].Item, answerOf(list[i].Application))
	}
	for i := range list {
		j.decide(&list[i])
	}
	return nil
}

// holdDeclines leaves the new declines of a run to a person where they pass the
// given share, in percent, of what is new. One decline is always allowed,
// unless the share is 0.
func holdDeclines(all []Decision, most int) {
	declines, fresh := 0, 0
	for _, d := range all {
		if d.Planned {
			continue
		}
		fresh++
		if d.Verdict == campaigns.Decline {
			declines++
		}
	}
	if most >= 100 || most > 0 && declines <= max(1, fresh*most/100) {
		return
	}
	for i := range all {
		all[i].Held = all[i].Verdict == campaigns.Decline && !all[i].Planned
	}
}
