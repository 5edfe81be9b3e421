package main

import (
	"context"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/operator"
)

// apply plans and applies the spec as `enqueue apply` does.
func (d *demo) apply(ctx context.Context) error {
	op := d.runner.Operator
	plan, err := op.Plan(ctx, []*campaigns.File{d.file}, operator.Options{Horizon: demoDays * 24 * time.Hour})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.stderr, "the plan: %d campaigns, %d operations now for %s USD, %d occurrences to come within %d days\n",
		len(plan.Campaigns), len(plan.Operations), plan.Cost, len(plan.Upcoming), demoDays)
	_, err = op.Apply(ctx, plan)
	return err
}
