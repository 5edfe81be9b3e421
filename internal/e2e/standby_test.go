package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// fleet is three runners on one Redis and one marketplace.
type fleet struct {
	t       *testing.T
	env     []string
	api     string
	runners [3]*member
}

// member is one of them, over its restarts.
type member struct {
	env []string
	log string
	cmd *exec.Cmd
}

// everySecond buys one seat each second, and makes up for what it missed.
const everySecond = `version: 1
campaigns:
  - name: signs
    items: [A]
    job:
      title: "Signs"
      category: surveys/labelling
      price: 0.05
      seats: 900
      countries: INT
      minutes: 5
      steps: ["Look and type."]
      proof: [{text: "What you read"}]
    actions:
      - {do: create, now: true}
      - {do: add_seats, seats: 1, every: 1s, catch_up: all, overlap: allow}
`

func newFleet(t *testing.T) *fleet {
	t.Helper()
	sandbox := start(t, os.Environ(), "runner", "sandbox", "--listen", "127.0.0.1:0", "--time-scale", "1")
	f := &fleet{t: t, api: sandbox.sandboxURL()}
	f.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "REDIS_URL=" + realRedis(t), "HIRETALENTS_API_URL=" + f.api,
		"HIRETALENTS_API_KEY=" + canary, "RUNNER_RATE_LIMIT=off", "RUNNER_LISTEN=127.0.0.1:0", "RUNNER_API_TIMEOUT=2s",
		"RUNNER_SETTLE_AFTER=1s", "RUNNER_LOG_FORMAT=json",
	}
	for i := range f.runners {
		dir := t.TempDir()
		f.runners[i] = &member{
			env: append([]string{"RUNNER_DATA_DIR=" + filepath.Join(dir, "data")}, f.env...),
			log: filepath.Join(dir, "log"),
		}
		f.launch(f.runners[i])
	}
	f.env = append(f.env, "RUNNER_DATA_DIR="+t.TempDir())
	t.Cleanup(func() {
		for _, m := range f.runners {
			_ = m.cmd.Process.Kill()
			_ = m.cmd.Wait()
		}
	})
	return f
}

// launch starts a runner; what it logs is added to a file.
func (f *fleet) launch(m *member) {
	f.t.Helper()
	log, err := os.OpenFile(m.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(f.t, err)
	defer func() { _ = log.Close() }()
	m.cmd = exec.Command(filepath.Join(bin, "runner"), "serve")
	m.cmd.Env, m.cmd.Stderr = m.env, log
	must(f.t, m.cmd.Start())
}

// crash kills a runner without a word, and starts it again.
func (f *fleet) crash(m *member) {
	f.t.Helper()
	must(f.t, m.cmd.Process.Kill())
	_ = m.cmd.Wait()
	f.launch(m)
}

var plans = regexp.MustCompile(`"this runner plans","fence":"(\d+)"`)

// fence is the newest token that a runner has logged.
func (f *fleet) fence(m *member) int {
	f.t.Helper()
	text, err := os.ReadFile(m.log)
	must(f.t, err)
	newest := 0
	for _, found := range plans.FindAllSubmatch(text, -1) {
		n, err := strconv.Atoi(string(found[1]))
		must(f.t, err)
		newest = max(newest, n)
	}
	return newest
}

// leader waits for a runner to take the lease over after a token.
func (f *fleet) leader(after int) (*member, int) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for _, m := range f.runners {
			if n := f.fence(m); n > after {
				return m, n
			}
		}
	}
	f.t.Fatalf("no runner took the lease over after token %d", after)
	return nil, 0
}

// bought is how often the marketplace sold a seat to the only job.
func (f *fleet) bought() int {
	f.t.Helper()
	resp, err := http.Get(strings.TrimSuffix(f.api, "/api/v1") + "/sandbox/books")
	must(f.t, err)
	defer func() { _ = resp.Body.Close() }()
	var books struct {
		Jobs []struct {
			Effects []struct {
				Kind string `json:"kind"`
			} `json:"effects"`
		} `json:"jobs"`
	}
	must(f.t, json.NewDecoder(resp.Body).Decode(&books))
	if len(books.Jobs) != 1 {
		f.t.Fatalf("the marketplace has %d jobs, want 1", len(books.Jobs))
	}
	n := 0
	for _, e := range books.Jobs[0].Effects {
		if e.Kind == "add_seats" {
			n++
		}
	}
	return n
}

// additions counts the operations of each slot, and those that are not applied.
func (f *fleet) additions() (slots map[time.Time]int, open int) {
	f.t.Helper()
	out, errs, code := enqueue(f.t, f.env, "ops", "--campaign", "signs", "-o", "json")
	if code != 0 {
		f.t.Fatalf("ops exits %d: %s", code, errs)
	}
	var ops []struct {
		Kind  string    `json:"kind"`
		State string    `json:"state"`
		Slot  time.Time `json:"slot"`
	}
	must(f.t, json.Unmarshal([]byte(out), &ops))
	slots = map[time.Time]int{}
	for _, op := range ops {
		if op.State != "applied" {
			open++
		}
		if op.Kind == "add_seats" {
			slots[op.Slot]++
		}
	}
	return slots, open
}

// settled waits until every operation is applied.
func (f *fleet) settled() map[time.Time]int {
	f.t.Helper()
	open := 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		var slots map[time.Time]int
		if slots, open = f.additions(); open == 0 {
			return slots
		}
	}
	f.t.Fatalf("%d operations are not applied", open)
	return nil
}

// TestThreeRunnersKilledInTurn kills whoever plans, and whoever else, and stops
// one past its lease: each slot of a second is planned and bought once.
func TestThreeRunnersKilledInTurn(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	first, fence := f.leader(0)
	if out, errs, code := f.apply(); code != 0 {
		t.Fatalf("apply exits %d: %s%s", code, out, errs)
	}
	for _, m := range f.runners { // standbys that work, while the leader plans
		if m != first {
			f.crash(m)
		}
	}
	f.crash(first)
	second, fence := f.leader(fence)
	must(t, second.cmd.Process.Signal(syscall.SIGSTOP))
	if third, _ := f.leader(fence); third == second {
		t.Fatal("a runner that is stopped took the lease")
	}
	must(t, second.cmd.Process.Signal(syscall.SIGCONT)) // it takes itself for the leader still
	time.Sleep(2 * time.Second)                         // slots on time, of one leader and one that was
	if out, errs, code := enqueue(t, f.env, "pause", "signs", "--keep-jobs"); code != 0 {
		t.Fatalf("pause exits %d: %s%s", code, out, errs)
	}
	// A pause holds what is planned; resumed, it is carried out with what passed
	// meanwhile. Without the action nothing new comes.
	if out, errs, code := f.end(); code != 0 {
		t.Fatalf("the end exits %d: %s%s", code, out, errs)
	}
	slots := f.settled()
	oldest, newest := time.Time{}, time.Time{}
	for slot, n := range slots {
		if n != 1 {
			t.Errorf("slot %s was planned %d times", slot, n)
		}
		if oldest.IsZero() || slot.Before(oldest) {
			oldest = slot
		}
		if slot.After(newest) {
			newest = slot
		}
	}
	if want := int(newest.Sub(oldest)/time.Second) + 1; len(slots) != want || want < 10 {
		t.Errorf("%d slots were planned from %s to %s, want %d", len(slots), oldest, newest, want)
	}
	if bought := f.bought(); bought != len(slots) {
		t.Errorf("the marketplace sold %d times, for %d slots", bought, len(slots))
	}
}

// TestARunnerThatComesBackPlansAtOnce kills the only runner, and gives its lease an
// hour: only who has its send log may take that over.
func TestARunnerThatComesBackPlansAtOnce(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	leader, fence := f.leader(0)
	for _, m := range f.runners {
		if m != leader {
			must(t, m.cmd.Process.Kill())
			_ = m.cmd.Wait()
		}
	}
	must(t, leader.cmd.Process.Kill())
	_ = leader.cmd.Wait()
	_, address, _ := strings.Cut(strings.Join(f.env, "\n"), "REDIS_URL=")
	address, _, _ = strings.Cut(address, "\n")
	opts, err := redis.ParseURL(address)
	must(t, err)
	rdb := redis.NewClient(opts)
	defer func() { _ = rdb.Close() }()
	must(t, rdb.HSet(t.Context(), "cr:{main}:lease", "until", time.Now().Add(time.Hour).UnixMilli()).Err())
	for _, m := range f.runners {
		if m != leader {
			f.launch(m)
		}
	}
	f.launch(leader)
	if m, n := f.leader(fence); m != leader || n != fence+1 {
		t.Errorf("the lease has token %d, want %d, at the runner that had it", n, fence+1)
	}
}

func (f *fleet) apply() (out, errs string, code int) {
	path := filepath.Join(f.t.TempDir(), "spec.yaml")
	must(f.t, os.WriteFile(path, []byte(everySecond), 0o600))
	return enqueue(f.t, f.env, "apply", path, "--yes", "--wait")
}

// end gives the action an end that has passed, which keeps what is planned.
func (f *fleet) end() (out, errs string, code int) {
	path := filepath.Join(f.t.TempDir(), "spec.yaml")
	text := strings.Replace(everySecond, "every: 1s", "every: 1s, until: 2001-01-01", 1)
	must(f.t, os.WriteFile(path, []byte(text), 0o600))
	if out, errs, code = enqueue(f.t, f.env, "apply", path, "--yes"); code != 0 {
		return out, errs, code
	}
	return enqueue(f.t, f.env, "resume", "signs")
}
