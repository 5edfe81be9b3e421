package operator_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

func TestPlanOfANewCampaign(t *testing.T) {
	t.Parallel()
	r := setup(t)
	files := r.spec(signs("Izmir, Pokhara", `{do: add_seats, seats: 4, cron: "0 12 * * *"}`, `{do: restart, cron: "@daily"}`))
	p := r.plan(files)
	if got := p.Campaigns[0].Change; got != planner.ChangeNew || p.Campaigns[0].Items != 2 {
		t.Errorf("the campaign is %s with %d items, want new with 2", got, p.Campaigns[0].Items)
	}
	var ids []string
	for _, op := range p.Operations {
		ids = append(ids, op.ID)
		if op.Quote == nil || op.Quote.String() != "0.6625" {
			t.Errorf("%s is quoted %v, want 0.6625", op.ID, op.Quote)
		}
	}
	want := []string{"signs/create/Izmir/20261102T080000Z", "signs/create/Pokhara/20261102T080000Z"}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("due now (-want +got):\n%s", diff)
	}
	if p.Cost == nil || p.Cost.String() != "1.325" {
		t.Errorf("it costs %v, want 1.325", p.Cost)
	}
	adds, restarts := 0, 0
	for _, u := range p.Upcoming {
		switch u.Kind {
		case planner.AddSeats:
			adds++
			if u.Items != 2 || u.Cost == nil || u.Cost.String() != "0.53" {
				t.Errorf("the seats of %s are for %d jobs at %v, want 2 at 0.53", u.Slot, u.Items, u.Cost)
			}
		case planner.Restart:
			restarts++
		}
	}
	if adds != 7 || restarts != 7 {
		t.Errorf("there are %d add_seats and %d restarts to come, want 7 and 7", adds, restarts)
	}
	if n := r.box.Traffic().Received["quote"]; n != 2 {
		t.Errorf("%d quotes were asked for, want one for each shape, 2", n)
	}
	if books := r.box.Books(); len(books.Jobs) != 0 {
		t.Errorf("a plan made %d jobs", len(books.Jobs))
	}
}

func TestPlanOffline(t *testing.T) {
	t.Parallel()
	r := setup(t)
	p, err := r.Plan(t.Context(), r.spec(signs("Izmir")), operator.Options{Horizon: time.Hour, Offline: true})
	r.must(err)
	if p.Cost != nil || p.Operations[0].Quote != nil || p.Balance != nil {
		t.Errorf("an offline plan tells the cost %v, the quote %v and the balance %v", p.Cost, p.Operations[0].Quote, p.Balance)
	}
	if n := len(r.box.Traffic().Requests); n != 0 {
		t.Errorf("an offline plan made %d requests", n)
	}
}

func TestPlanAfterApply(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text   string
		change planner.Change
		parts  []string
		due    int
	}{
		"the same file changes nothing":        {signs("Izmir"), planner.ChangeUnchanged, []string{}, 0},
		"an item more is due alone":            {signs("Izmir, Pokhara"), planner.ChangeChanged, []string{"items"}, 1},
		"an action more is due in its time":    {signs("Izmir", `{do: restart, cron: "@daily"}`), planner.ChangeChanged, []string{"actions"}, 0},
		"another title makes no job once more": {strings.Replace(signs("Izmir"), "Signs in", "Boards in", 1), planner.ChangeChanged, []string{"job"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			r.apply(r.spec(signs("Izmir")))
			r.advance(time.Hour)
			p := r.plan(r.spec(test.text))
			if p.Campaigns[0].Change != test.change || !slices.Equal(p.Campaigns[0].Changes, test.parts) {
				t.Errorf("it is %s in %v, want %s in %v", p.Campaigns[0].Change, p.Campaigns[0].Changes, test.change, test.parts)
			}
			if len(p.Operations) != test.due {
				t.Errorf("%d operations are due, want %d: %v", len(p.Operations), test.due, p.Operations)
			}
			r.apply(r.spec(test.text))
			if made := len(r.box.Books().Jobs); made != 1+test.due {
				t.Errorf("there are %d jobs, want %d", made, 1+test.due)
			}
			r.balanced()
		})
	}
}

func TestPlanWarns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"of a cap that does not cover what is due": {
			strings.Replace(signs("A, B, C"), "cap: 5", "cap: 1.5", 1), "the budget of signs of 1.5 USD does not cover",
		},
		"of a threshold that is reached": {
			strings.Replace(signs("A, B, C"), "cap: 5", "cap: 5, pause_at: 1", 1), "reaches 1 of 5 USD on 2026-11-02",
		},
		"of a time that has passed": {
			signs("A", "{do: restart, at: 2026-01-01T09:00}"), "it will not run",
		},
		"of a balance that is too small": {
			"min_balance: 999.9\n" + signs("A"), "less than the minimum of 999.9",
		},
		"of a job that cannot be adopted": {
			"version: 1\ncampaigns: [{name: old, adopt: [77], actions: [{do: restart, every: 12h}]}]", "cannot adopt job 77",
		},
		"of a category that does not exist": {
			strings.Replace(signs("A"), "surveys/labelling", "surveys/nothing", 1), `no category "surveys/nothing"`,
		},
		"of nothing where nothing is wrong": {
			"timezone: Europe/Berlin\n" + signs("A", `{do: restart, cron: "30 2 * * *"}`), "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			p := r.plan(r.spec(test.text))
			all := strings.Join(p.Warnings, "\n")
			if test.want == "" && all != "" || !strings.Contains(all, test.want) {
				t.Errorf("the warnings are %q, want %q", all, test.want)
			}
		})
	}
}

func TestTwoFilesMustFitTogether(t *testing.T) {
	t.Parallel()
	r := setup(t)
	files := append(r.specAs("a.yaml", signs("A")), r.specAs("b.yaml", signs("B"))...)
	_, err := r.Plan(t.Context(), files, week)
	var wrong *operator.SpecError
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), `campaign "signs" is in a.yaml and in b.yaml`) {
		t.Errorf("the error is %v", err)
	}
}

func TestSavedPlan(t *testing.T) {
	t.Parallel()
	save := func(r *rig, text string) *operator.Saved {
		files := r.spec(text)
		saved, err := r.Save(r.plan(files), []string{"spec.yaml"})
		r.must(err)
		b, err := json.Marshal(saved)
		r.must(err)
		var read operator.Saved
		r.must(json.Unmarshal(b, &read))
		return &read
	}
	t.Run("fits while nothing moves", func(t *testing.T) {
		t.Parallel()
		r := setup(t)
		saved := save(r, signs("A"))
		r.advance(time.Hour)
		p, err := r.Replan(t.Context(), saved, r.spec(signs("A")), week)
		r.must(err)
		_, err = r.Apply(t.Context(), p)
		r.must(err)
	})
	t.Run("is refused once its file was edited", func(t *testing.T) {
		t.Parallel()
		r := setup(t)
		saved := save(r, signs("A"))
		_, err := r.Replan(t.Context(), saved, r.spec(signs("A, B")), week)
		if err == nil || !strings.Contains(err.Error(), "spec.yaml was edited") {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("is refused once its campaign was applied", func(t *testing.T) {
		t.Parallel()
		r := setup(t)
		saved := save(r, signs("A"))
		r.apply(r.spec(signs("A")))
		_, err := r.Replan(t.Context(), saved, r.spec(signs("A")), week)
		var moved *operator.MovedError
		if !errors.As(err, &moved) || !strings.Contains(err.Error(), "campaign signs was applied") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestPlanShowsWhatFollows(t *testing.T) {
	t.Parallel()
	r := setup(t)
	_, second, _ := strings.Cut(signs("Izmir", `{do: restart, after: {campaign: signs, action: more}}`), "  - name: signs\n")
	p := r.plan(r.spec(signs("Izmir, Pokhara", `{id: more, do: add_seats, seats: 4, after: {action: create}}`) + "  - name: second\n" + second))
	var got []string
	for _, u := range p.Upcoming {
		got = append(got, u.Campaign+"/"+u.Action+" "+u.Slot.Format(time.RFC3339)+" "+strconv.Itoa(u.Items))
	}
	want := []string{"signs/more 2026-11-02T08:00:00Z 2", "second/restart 2026-11-02T08:00:00Z 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("upcoming (-want +got):\n%s", diff)
	}
	if p.UpcomingCost == nil || p.UpcomingCost.String() != "0.53" {
		t.Errorf("what follows costs %v, want 0.53", p.UpcomingCost)
	}
}
