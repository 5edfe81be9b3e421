package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/output"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// app is what all commands share.
type app struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	now      func() time.Time

	set settings.Settings
	// wrong is why the settings cannot be used, for the doctor.
	wrong  error
	format output.Format
	all    bool
	log    *slog.Logger
	// ran tells that the command line was in order and a command began.
	ran bool
	// called is the command that was named, as far as it exists.
	called string
}

func newApp(in io.Reader, out, errs io.Writer, getenv func(string) string) *app {
	return &app{in: in, out: out, err: errs, getenv: getenv, now: time.Now, format: output.Table}
}

// root is the whole tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "enqueue",
		Short: "Plan campaigns, hand them to the runner, and see what became of them",
		Long: "enqueue checks and plans campaign specs, hands their operations to the runner,\n" +
			"and tells what became of them and of the money.\n\n" +
			"Exit codes: 0 done, 1 failed, 2 a wrong spec or wrong usage, 3 plan --detailed-exitcode\n" +
			"found changes, 4 finished, but something was rejected, skipped or needs a person.",
		Example:       "  enqueue plan campaigns.yaml && enqueue apply campaigns.yaml --wait",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	a.set.AddFlags(root.PersistentFlags())
	root.PersistentFlags().VarP(&a.format, "output", "o", "how rows are shown: table, json, jsonl, csv or yaml")
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(
		[]string{"table", "json", "jsonl", "csv", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.begin(cmd) }
	root.AddCommand(
		a.initCommand(), a.validateCommand(), a.planCommand(), a.applyCommand(), a.simulateCommand(), a.statusCommand(),
		a.opsCommand(), a.opCommand(), a.budgetCommand(), a.ledgerCommand(), a.runCommand(), a.backfillCommand(), a.rateCommand(), a.rulesCommand(),
		a.pauseCommand(), a.resumeCommand(), a.stopCommand(), a.retryCommand(), a.resolveCommand(),
		a.auditCommand(), a.recoverCommand(), a.doctorCommand(), a.exportCommand(), a.schemaCommand(), a.apiCommand(), a.versionCommand(),
	)
	return root
}

// begin reads the settings before any command.
func (a *app) begin(cmd *cobra.Command) error {
	if err := a.set.Load(cmd.Root().PersistentFlags(), a.getenv); err != nil {
		if cmd.Name() != commandDoctor {
			return err
		}
		a.wrong = err
	}
	a.log = a.set.Logger(a.err, output.IsTerminal(a.err))
	a.ran = true
	return nil
}

// allFlag adds --all to a command that prints rows.
func (a *app) allFlag(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&a.all, "all", false, "show every row on a terminal too, not the newest 50 alone")
	return cmd
}

// print shows a result on standard output.
func (a *app) print(rows output.Rows, value any) error {
	p := output.New(a.out, a.format, output.IsTerminal(a.out))
	p.All = a.all
	return p.Print(rows, value)
}
