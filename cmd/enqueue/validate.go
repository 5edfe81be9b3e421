package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "validate FILE…",
		Short:   "Check specs offline: every error of a file in one pass",
		Example: "  enqueue validate campaigns.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := a.load(args)
			if err != nil {
				return err
			}
			for i, f := range files {
				for _, w := range f.Warnings {
					a.say("%s (warning)", w)
				}
				a.say("%s: %d campaigns, in order", args[i], len(f.Campaigns))
			}
			return nil
		},
	}
}

// load reads spec files. All faults of all files are told before it fails.
func (a *app) load(paths []string) ([]*campaigns.File, error) {
	files := make([]*campaigns.File, 0, len(paths))
	var wrong campaigns.Errors
	for _, path := range paths {
		f, err := campaigns.Load(path)
		var spec campaigns.Errors
		switch {
		case errors.As(err, &spec):
			wrong = append(wrong, spec...)
		case err != nil:
			return nil, &coded{exitUsage, err}
		default:
			files = append(files, f)
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	return files, nil
}
