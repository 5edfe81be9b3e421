package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

//go:embed starter.yaml
var starter []byte

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "init [FILE]",
		Short:   "Write a commented starter spec",
		Long:    "Writes a commented starter spec, to campaigns.yaml unless a file is given; - prints it.\nA file that exists is never overwritten.",
		Example: "  enqueue init street-signs.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := "campaigns.yaml"
			if len(args) == 1 {
				path = args[0]
			}
			if path == "-" {
				_, err := a.out.Write(starter)
				return err
			}
			return a.writeNew(path)
		},
	}
}

func (a *app) writeNew(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // a spec is no secret
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%q exists already: give the name of a new file", path)
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(starter); err != nil {
		return errors.Join(err, f.Close())
	}
	a.say("wrote %s: edit it, then `enqueue validate %s` and `enqueue plan %s`", path, path, path)
	return f.Close()
}
