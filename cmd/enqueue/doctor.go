package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/campaign-runner/campaign-runner/internal/doctor"
	"github.com/campaign-runner/campaign-runner/internal/embedded"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

func (a *app) doctorCommand() *cobra.Command {
	return a.allFlag(&cobra.Command{
		Use:   commandDoctor,
		Short: "Check the settings, Redis, the API and the clocks, and say what to mend",
		Long: "Looks at what a runner stands on: the settings, the data directory, Redis with what it keeps and may\n" +
			"throw away, the API and whose account the key opens, and the clocks. It changes nothing. It exits with 1\n" +
			"where something is wrong; warnings alone exit with 0.",
		Example: "  enqueue doctor -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := a.examine(cmd.Context())
			rows := output.Rows{Columns: []string{"subject", "level", "message", "advice"}}
			wrong := 0
			for _, f := range found {
				rows.Cells = append(rows.Cells, []string{f.Subject, string(f.Level), f.Message, f.Advice})
				if f.Level == doctor.Error {
					wrong++
				}
			}
			if err := a.print(rows, found); err != nil {
				return err
			}
			if wrong > 0 {
				return &coded{exitFailed, fmt.Errorf("%d things are wrong", wrong)}
			}
			return nil
		},
	})
}

// commandDoctor is the one command that runs on settings that are wrong.
const commandDoctor = "doctor"

// examine looks at everything, as far as it can.
func (a *app) examine(ctx context.Context) []doctor.Finding {
	found := doctor.Settings(&a.set, a.wrong)
	found = append(found, doctor.Folder("data directory", a.set.DataDir),
		doctor.Folder("send log", filepath.Join(a.set.DataDir, "sends")))
	s := &session{}
	defer s.close()
	quietRedis()
	owner, redis := a.examineRedis(ctx, s)
	found = append(found, redis...)
	if a.wrong != nil {
		return found // the address and the key may be other ones than those meant
	}
	found = append(found, doctor.Clock(ctx, a.set.APIURL, a.set.APITimeout, a.now)...)
	// One request need not wait in line, and tells the truth where Redis is away.
	client, err := a.api(nil)
	if err == nil && client != nil {
		found = append(found, doctor.Account(ctx, client, owner, a.now)...)
		client.Close()
	}
	return found
}

// examineRedis looks at the Redis, and tells whose books it holds.
func (a *app) examineRedis(ctx context.Context, s *session) (owner string, found []doctor.Finding) {
	url, err := a.findRedis(ctx, s, need{})
	if errors.Is(err, embedded.ErrNotRunning) {
		return "", []doctor.Finding{a.examineEmbedded()}
	}
	wrong := func(err error) []doctor.Finding {
		return []doctor.Finding{{Subject: "redis", Level: doctor.Error, Message: err.Error()}}
	}
	if err != nil {
		return "", wrong(err)
	}
	rdb, err := a.connect(s, url, embedded.Options{Once: true})
	if err != nil {
		return "", wrong(err)
	}
	if err := embedded.Ping(ctx, rdb, url); err != nil {
		return "", wrong(err)
	}
	found = []doctor.Finding{{Subject: "redis", Level: doctor.OK, Message: embedded.Redact(url) + " answers"}}
	found = append(found, doctor.Redis(ctx, rdb, a.set.LocalAPI(), a.now)...)
	j, err := journal.Open(rdb)
	if err == nil {
		owner, err = j.Recall(ctx, "account")
	}
	if err != nil {
		return "", append(found, wrong(err)...)
	}
	return owner, found
}

// examineEmbedded tells what Redis a runner would start.
func (a *app) examineEmbedded() doctor.Finding {
	_, err := exec.LookPath("redis-server")
	if serr := a.set.CheckState(err == nil); serr != nil {
		return doctor.Finding{Subject: "redis", Level: doctor.Error, Message: serr.Error()}
	}
	if err != nil {
		return doctor.Finding{
			Subject: "redis", Level: doctor.Warning, Message: "a runner would keep its state in memory alone",
			Advice: "install redis-server, or set REDIS_URL",
		}
	}
	return doctor.Finding{Subject: "redis", Level: doctor.OK, Message: "no runner is at work here; it would start redis-server of its own"}
}
