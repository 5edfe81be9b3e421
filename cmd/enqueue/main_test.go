package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/campaign-runner/campaign-runner/internal/runner"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
	"github.com/campaign-runner/campaign-runner/internal/settings"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"enqueue": main})
}

// commands are those that the scripts have beside the usual ones: status N runs
// a command that must exit with N, and market ORDER BODY has the simulated
// marketplace do something by itself.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"status": func(ts *testscript.TestScript, _ bool, args []string) {
		want, err := strconv.Atoi(args[0])
		ts.Check(err)
		err = ts.Exec(args[1], args[2:]...)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != want {
			ts.Fatalf("%v: got %v, want exit status %d", args[1:], err, want)
		}
	},
	"market": func(ts *testscript.TestScript, _ bool, args []string) {
		resp, err := http.Post(ts.Getenv("SANDBOX")+"/sandbox/"+args[0], "application/json", strings.NewReader(args[1]))
		ts.Check(err)
		ts.Check(resp.Body.Close())
		if resp.StatusCode != http.StatusOK {
			ts.Fatalf("the marketplace answers %s", resp.Status)
		}
	},
}

// TestAlone runs the scripts that need neither a runner nor a marketplace.
func TestAlone(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/alone", RequireUniqueNames: true, RequireExplicitExec: true, Cmds: commands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TMPDIR", env.WorkDir)
			return nil
		},
	})
}

// TestTogether runs the scripts that have a runner and a simulated marketplace,
// each its own.
func TestTogether(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/together", RequireUniqueNames: true, RequireExplicitExec: true, Cmds: commands, Setup: together,
	})
}

func together(env *testscript.Env) error {
	server := httptest.NewUnstartedServer(nil)
	box := sandbox.New(sandbox.Config{
		Key: "a-key-for-tests", Crowd: sandbox.Crowd{Off: true}, Site: "http://" + server.Listener.Addr().String(),
	})
	server.Config.Handler = box
	server.Start()
	env.Defer(server.Close)
	env.Defer(box.Close)
	redis := miniredis.NewMiniRedis()
	if err := redis.Start(); err != nil {
		return err
	}
	env.Defer(redis.Close)
	vars := map[string]string{
		"HIRETALENTS_API_KEY": "a-key-for-tests", "HIRETALENTS_API_URL": server.URL + sandbox.BasePath,
		"REDIS_URL": "redis://" + redis.Addr(), "RUNNER_RATE_LIMIT": "off", "RUNNER_LISTEN": "127.0.0.1:0",
		"RUNNER_DATA_DIR": env.WorkDir + "/data", "RUNNER_LOG_LEVEL": "error",
	}
	for name, value := range vars {
		env.Setenv(name, value)
	}
	env.Setenv("SANDBOX", server.URL)
	return startRunner(env, func(name string) string { return vars[name] })
}

func startRunner(env *testscript.Env, getenv func(string) string) error {
	var set settings.Settings
	fs := pflag.NewFlagSet("runner", pflag.ContinueOnError)
	set.AddFlags(fs)
	if err := set.Load(fs, getenv); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := runner.Start(ctx, runner.Config{Settings: &set, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	env.Defer(func() { _ = r.Close() })
	return nil
}

func TestEveryCommandHasOneExample(t *testing.T) {
	t.Parallel()
	a := newApp(os.Stdin, io.Discard, io.Discard, os.Getenv)
	for _, cmd := range everyCommand(a.root()) {
		if cmd.Example == "" || cmd.Short == "" {
			t.Errorf("%s has no example or no summary", cmd.CommandPath())
		}
	}
}

// everyCommand is a command with all those below it.
func everyCommand(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, below := range cmd.Commands() {
		all = append(all, everyCommand(below)...)
	}
	return all
}
