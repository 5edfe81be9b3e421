package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/operator"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "rules",
		Short:   "Try the rules of rate actions",
		Example: "  enqueue rules test street-signs",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.rulesTestCommand())
	return cmd
}

// rulesFlags are those of rules test.
type rulesFlags struct{ file, spec string }

func (a *app) rulesTestCommand() *cobra.Command {
	var flags rulesFlags
	cmd := &cobra.Command{
		Use:   "test CAMPAIGN",
		Short: "Show what a campaign's rules decide on applications, and rate none",
		Long: "Tries the rules of a campaign's rate actions on its applications, those that have a verdict included, and\n" +
			"tells for each rule how many it decides, with examples, and which rules are never reached. --file takes\n" +
			"applications that `enqueue export applications -o jsonl` wrote; -f takes the rules of a spec that need not\n" +
			"be applied. With both nothing is asked of anybody.",
		Example:           "  enqueue rules test street-signs -f campaigns.yaml --file applications.jsonl",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeCampaign,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.testRules(cmd.Context(), args[0], &flags)
		},
	}
	cmd.Flags().StringVar(&flags.file, "file", "", "recorded applications, as JSONL")
	cmd.Flags().StringVarP(&flags.spec, "spec", "f", "", "the spec that holds the rules; default: as applied")
	return cmd
}

func (a *app) testRules(ctx context.Context, campaign string, flags *rulesFlags) error {
	var c *campaigns.Campaign
	var apps []operator.Application
	var err error
	if flags.spec != "" {
		if c, err = a.campaignOf(flags.spec, campaign); err != nil {
			return err
		}
	}
	if flags.file != "" {
		if apps, err = recorded(flags.file); err != nil {
			return err
		}
	}
	if c == nil || flags.file == "" {
		err = a.with(ctx, need{key: flags.file == ""}, func(s *session) error {
			if c == nil {
				reg, err := s.Campaign(ctx, campaign)
				if err != nil {
					return err
				}
				c = reg.Spec
			}
			if flags.file == "" {
				apps, err = s.Recorded(ctx, campaign)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	t, err := operator.TestRules(c, apps, a.now())
	if err != nil {
		return err
	}
	a.remark(t)
	return a.print(rulesRows(t), t)
}

// campaignOf loads one campaign of a spec.
func (a *app) campaignOf(path, name string) (*campaigns.Campaign, error) {
	files, err := a.load([]string{path})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		for i := range f.Campaigns {
			if f.Campaigns[i].Name == name {
				return &f.Campaigns[i], nil
			}
			names = append(names, f.Campaigns[i].Name)
		}
	}
	return nil, usage("%s has no campaign %q%s", path, name, campaigns.DidYouMean(name, names))
}

func recorded(path string) ([]operator.Application, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &coded{exitUsage, err}
	}
	defer f.Close()
	apps, err := operator.ReadApplications(f)
	if err != nil {
		return nil, &coded{exitUsage, fmt.Errorf("%s: %w", path, err)}
	}
	return apps, nil
}

// remark tells what a table of rules has no place for.
func (a *app) remark(t *operator.RulesTest) {
	if t.Foreign > 0 {
		a.say("%d applications are of other campaigns and left out", t.Foreign)
	}
	if len(t.Strangers) > 0 {
		a.say("the spec has no item %s: what rules read of it is empty", strings.Join(t.Strangers, ", "))
	}
	for _, act := range t.Actions {
		for _, fault := range act.Faults {
			a.say("%s: left for a person: %s", act.Action, fault)
		}
		if act.Sampled > 0 {
			a.say("%s: audit_sample leaves %d approvals to a person", act.Action, act.Sampled)
		}
	}
}

func rulesRows(t *operator.RulesTest) output.Rows {
	rows := output.Rows{Columns: []string{"action", "rule", "when", "verdict", "applications", "examples", "reason", "note"}}
	for _, act := range t.Actions {
		for _, r := range act.Rules {
			rows.Cells = append(rows.Cells, ruleRow(act.Action, r, t.Applications))
		}
	}
	return rows
}

func ruleRow(action string, r operator.RuleTest, all int) []string {
	number, when, note := fmt.Sprint(r.Rule), r.When, r.Unreachable
	if r.Rule == 0 {
		number, when = "none", "(no rule fits)"
	}
	switch {
	case note == "" && r.Applications == 0 && all > 0 && r.Rule > 0:
		note = "decides none of these"
	case r.Differ > 0:
		note = fmt.Sprintf("%d have another verdict", r.Differ)
	}
	ids := make([]string, len(r.Examples))
	for i, id := range r.Examples {
		ids[i] = fmt.Sprint(id)
	}
	return []string{action, number, when, string(r.Verdict), fmt.Sprint(r.Applications), strings.Join(ids, " "), r.Reason, note}
}
