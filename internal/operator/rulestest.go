package operator

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/rules"
	"github.com/campaign-runner/campaign-runner/internal/watcher"
)

// RulesTest is what a campaign's rules say of applications, of which none is rated.
type RulesTest struct {
	Campaign     string       `json:"campaign"`
	Applications int          `json:"applications"`
	Actions      []ActionTest `json:"actions"`
	Strangers    []string     `json:"unknown_items"`
	Foreign      int          `json:"left_out"`
	unknown      map[string]bool
}

// ActionTest is what the rules of one action say.
type ActionTest struct {
	Action string     `json:"action"`
	Rules  []RuleTest `json:"rules"`
	// Sampled is how many approvals audit_sample leaves to a person.
	Sampled int `json:"sampled"`
	// Faults are rules that could not be evaluated, each with an example.
	Faults []string `json:"faults"`
}

// RuleTest is what one rule decides. The last of an action has the number 0: it
// stands for the applications that no rule fits.
type RuleTest struct {
	Rule         int               `json:"rule"`
	When         string            `json:"when"`
	Verdict      campaigns.Verdict `json:"verdict"`
	Applications int               `json:"applications"`
	// Examples are some of their ids, and Reason what the first is told.
	Examples []int64 `json:"examples"`
	Reason   string  `json:"reason"`
	// Differ is how many of them have another verdict already.
	Differ int `json:"differ"`
	// Unreachable is why the rule can never decide; "" where it can.
	Unreachable string `json:"unreachable"`
}

// examples is how many applications of a rule are named.
const examples = 3

// ReadApplications reads what `enqueue export applications` writes as JSONL.
// All that is wrong with it is told at once, by line.
func ReadApplications(r io.Reader) ([]Application, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	var out []Application
	var errs []error
	seen := map[int64]int{}
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var a Application
		err := json.Unmarshal(lines.Bytes(), &a)
		switch {
		case err != nil:
		case a.ApplicationID < 1:
			err = errors.New("there is no application_id: a line is what `enqueue export applications -o jsonl` writes")
		case seen[a.ApplicationID] > 0:
			err = fmt.Errorf("application %d is on line %d already", a.ApplicationID, seen[a.ApplicationID])
		case statusNamed(a.Status) < 0:
			err = fmt.Errorf("%q is no status of an application", a.Status)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		seen[a.ApplicationID] = n
		out = append(out, a)
	}
	if err := lines.Err(); err != nil {
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

// statusNamed is the status of a word, or a negative number; "" is any.
func statusNamed(word string) api.ApplicationStatus {
	if word == "" {
		return api.AnyStatus
	}
	for s := api.AnyStatus; s <= api.NotCompleted; s++ {
		if s.String() == word {
			return s
		}
	}
	return -1
}

// Recorded gathers the applications of a registered campaign, all of them,
// whatever became of them.
func (o *Operator) Recorded(ctx context.Context, campaign string) ([]Application, error) {
	out := []Application{}
	for app, err := range o.Applications(ctx, campaign, false) {
		if err != nil {
			return nil, err
		}
		out = append(out, app)
	}
	return out, nil
}

// TestRules tries a campaign's rules on applications. It asks nobody and
// changes nothing; ages are counted to now.
func TestRules(c *campaigns.Campaign, apps []Application, now time.Time) (*RulesTest, error) {
	actions := rateActions(c)
	if len(actions) == 0 {
		return nil, fmt.Errorf("campaign %q has no rate action, and so no rules", c.Name)
	}
	out := &RulesTest{Campaign: c.Name, Actions: []ActionTest{}, unknown: map[string]bool{}}
	list := out.gather(c, apps)
	out.Applications = len(list)
	out.Strangers = append([]string{}, slices.Sorted(maps.Keys(out.unknown))...)
	for _, a := range actions {
		decided := slices.Clone(list)
		if err := watcher.Judge(c, a, decided, now); err != nil {
			return nil, fmt.Errorf("action %s: %w", a.ID, err)
		}
		out.Actions = append(out.Actions, testAction(a, decided))
	}
	return out, nil
}

// gather picks the campaign's own applications, and notes the items of which
// the spec knows nothing.
func (t *RulesTest) gather(c *campaigns.Campaign, apps []Application) []watcher.Decision {
	known := make(map[string]bool, len(c.Items))
	for _, item := range c.Items {
		known[item.Key] = true
	}
	var list []watcher.Decision
	for _, a := range apps {
		if a.Campaign != "" && a.Campaign != c.Name {
			t.Foreign++
			continue
		}
		if len(c.Items) > 0 && !known[a.Item] {
			t.unknown[a.Item] = true
		}
		list = append(list, watcher.Decision{Item: a.Item, Application: api.Application{
			ID: a.ApplicationID, JobID: a.JobID, UserID: a.Worker, Status: statusNamed(a.Status), Proof: a.Proof,
			AppliedAt: a.AppliedAt, Screenshots: a.Screenshots, Reason: a.Reason,
		}})
	}
	return list
}

func testAction(a *campaigns.Action, decided []watcher.Decision) ActionTest {
	out := ActionTest{Action: a.ID, Faults: []string{}}
	conditions := make([]string, len(a.Rules))
	for i, r := range a.Rules {
		conditions[i] = r.When
	}
	unreachable := rules.Unreachable(conditions)
	for i, r := range a.Rules {
		out.Rules = append(out.Rules, RuleTest{
			Rule: i + 1, When: r.When, Verdict: r.Verdict, Examples: []int64{}, Unreachable: unreachable[i],
		})
	}
	out.Rules = append(out.Rules, RuleTest{Verdict: campaigns.Leave, Examples: []int64{}})
	faults := map[string]bool{}
	for _, d := range decided {
		if d.Fault != "" && !faults[d.Fault] {
			faults[d.Fault] = true
			out.Faults = append(out.Faults, fmt.Sprintf("application %d: %s", d.Application.ID, d.Fault))
		}
		if d.Sampled {
			out.Sampled++
		}
		row := &out.Rules[len(a.Rules)]
		if d.Rule > 0 {
			row = &out.Rules[d.Rule-1]
		}
		row.count(d)
	}
	return out
}

func (r *RuleTest) count(d watcher.Decision) {
	r.Applications++
	if len(r.Examples) < examples {
		r.Examples = append(r.Examples, d.Application.ID)
	}
	if r.Reason == "" {
		r.Reason = d.Reason
	}
	want, decides := verdictStatus[d.Verdict]
	if rated := d.Application.Status != api.Pending && d.Application.Status != api.AnyStatus; decides && rated && d.Application.Status != want {
		r.Differ++
	}
}
