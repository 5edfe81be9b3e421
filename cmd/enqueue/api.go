package main

import (
	"strconv"

	"github.com/spf13/cobra"
)

func (a *app) apiCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "api",
		Short: "The whole marketplace API by hand",
		Long: "The whole marketplace API by hand, under the rate limit that all processes share. -o json prints the\n" +
			"API's own field names with true types. What moves money or rates is an operation of the campaign\n" +
			"\"manual\": a runner sends it at most once, and the books have it.",
		Example: "  enqueue api jobs --status online -o json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.meCommand(), a.countriesCommand(), a.categoriesCommand(), a.jobsCommand(), a.jobCommand(),
		a.applicationsCommand(), a.applicationCommand(), a.teamsCommand(),
		a.createCommand(), a.updateCommand(), a.addSeatsCommand(), a.pauseJobCommand(), a.resumeJobCommand(),
		a.restartCommand(), a.setCommand(),
	)
	return cmd
}

// number reads an id or a count.
func number(what, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, usage("%q is not %s: give a whole number above 0", text, what)
	}
	return n, nil
}
