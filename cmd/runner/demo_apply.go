package main

import (
	"context"
)

// apply registers the campaigns and plans what is due now.
func (d *demo) apply(ctx context.Context) error {
	now := d.now()
	for i := range d.file.Campaigns {
		if err := d.runner.Journal.Register(ctx, now, &d.file.Campaigns[i]); err != nil {
			return err
		}
		if _, err := d.runner.Scheduler().Fire(ctx, d.file.Campaigns[i].Name); err != nil {
			return err
		}
	}
	return nil
}
