package main

import (
	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of specs, for editors",
		Example: "  enqueue schema > campaigns.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(campaigns.Schema())
			return err
		},
	}
}
