package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// twoJobs buys two jobs at once.
const twoJobs = `version: 1
campaigns:
  - name: signs
    items: {list: [A, B]}
    job:
      title: "Signs of {{ .item }}"
      category: surveys/labelling
      price: 0.05
      seats: 10
      countries: INT
      minutes: 5
      steps: ["Look and type."]
      proof: [{text: "What you read"}]
    actions:
      - {do: create, now: true}
`

// twoJobsFile writes that spec.
func twoJobsFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signs.yaml")
	must(t, os.WriteFile(path, []byte(twoJobs), 0o600))
	return path
}

// creates counts the creates that the marketplace received.
func (w world) creates(t *testing.T) int {
	t.Helper()
	resp, err := http.Get(strings.TrimSuffix(w.api, "/api/v1") + "/sandbox/requests")
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	var traffic struct {
		Received map[string]int `json:"received"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&traffic))
	return traffic.Received["create"]
}

// run is enqueue that must exit with a code.
func (w world) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	out, errs, code := enqueue(t, w.env, args...)
	if code != want {
		t.Fatalf("enqueue %v exits %d, want %d:\n%s%s", args, code, want, out, errs)
	}
	return out + errs
}

// until repeats a command until its output says something.
func (w world) until(t *testing.T, say string, args ...string) {
	t.Helper()
	var out, errs string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if out, errs, _ = enqueue(t, w.env, args...); strings.Contains(out, say) {
			return
		}
	}
	t.Fatalf("enqueue %v never says %q:\n%s%s", args, say, out, errs)
}

// agrees demands two jobs, bought once, and books that say so.
func (w world) agrees(t *testing.T) {
	t.Helper()
	if n := w.creates(t); n != 2 {
		t.Errorf("the marketplace received %d creates, want 2", n)
	}
	audit := strings.ReplaceAll(w.run(t, 0, "audit", "-o", "json"), " ", "")
	if !strings.Contains(audit, `"drift":"0"`) {
		t.Errorf("the audit says %s", audit)
	}
}

// sendsCut cuts a redis-server's file in the midst of the transaction that began
// the last send, as a power cut does that the disk lied about.
func sendsCut(t *testing.T, dataDir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dataDir, "redis", "appendonlydir", "*.incr.aof"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("append-only files: %v, want one", files)
	}
	data, err := os.ReadFile(files[0])
	must(t, err)
	at := bytes.LastIndex(data, []byte("cr:{main}:sends"))
	if at < 0 {
		t.Fatal("no send is in the file")
	}
	must(t, os.Truncate(files[0], int64(at)))
}

// TestARedisWhoseFileLacksItsEnd cuts a send and all that followed off the file
// of the private redis-server.
func TestARedisWhoseFileLacksItsEnd(t *testing.T) {
	t.Parallel()
	w, spec := newWorld(t), twoJobsFile(t)
	first := w.serve(t)
	w.run(t, 0, "apply", spec, "--yes", "--wait")
	first.stop(t)
	sendsCut(t, w.setting("RUNNER_DATA_DIR"))

	second := w.serve(t)
	if status := w.run(t, 0, "status"); !strings.Contains(status, "Redis lost writes") || !strings.Contains(status, "enqueue recover") {
		t.Fatalf("the loss is not told:\n%s\n%s", status, second.log)
	}
	// A worker takes the operation up, and the way is shut.
	w.until(t, "nothing is sent until a person acts", "ops", "-o", "json")
	if n := w.creates(t); n != 2 {
		t.Fatalf("the marketplace received %d creates before the recovery, want 2", n)
	}
	w.run(t, 0, "recover", spec)
	if again := w.run(t, 0, "recover", spec, "-o", "json"); !strings.Contains(strings.ReplaceAll(again, " ", ""), `"sends":[]`) {
		t.Errorf("a second recovery finds something: %s", again)
	}
	w.run(t, 0, "apply", spec, "--yes", "--wait")
	if status := w.run(t, 0, "status"); strings.Contains(status, "Redis lost writes") {
		t.Errorf("it is still told:\n%s", status)
	}
	w.agrees(t)
}

// TestTheSendLogOfAnotherHost empties a Redis whose only sends were made by a
// runner of another host, and recovers by that one's log.
func TestTheSendLogOfAnotherHost(t *testing.T) {
	t.Parallel()
	url, spec := realRedis(t), twoJobsFile(t)
	there := newWorld(t, "REDIS_URL="+url)
	away := there.serve(t)
	there.run(t, 0, "apply", spec, "--yes", "--wait")
	away.stop(t)
	logs, err := filepath.Glob(filepath.Join(there.setting("RUNNER_DATA_DIR"), "sends", "*.log"))
	must(t, err)
	if len(logs) != 1 {
		t.Fatalf("send logs: %v, want one", logs)
	}
	opt, err := redis.ParseURL(url)
	must(t, err)
	rdb := redis.NewClient(opt)
	t.Cleanup(func() { _ = rdb.Close() })
	must(t, rdb.FlushAll(t.Context()).Err())

	here := there
	here.env = append([]string{}, there.env...)
	for i, e := range here.env {
		if strings.HasPrefix(e, "RUNNER_DATA_DIR=") {
			here.env[i] = "RUNNER_DATA_DIR=" + filepath.Join(t.TempDir(), "data")
		}
	}
	if out := here.run(t, 0, "recover", spec, "--log", logs[0]); strings.Count(out, "applied") != 2 {
		t.Errorf("recover says:\n%s", out)
	}
	here.serve(t)
	here.run(t, 0, "apply", spec, "--yes", "--wait")
	here.agrees(t)

	// A runner that does not answer is named, and gone without.
	books, err := journal.Open(rdb)
	must(t, err)
	must(t, books.Freeze(t.Context(), "", journal.Freeze{Holder: "SILENT", Reason: "the runner of far does not say: recover --without SILENT", At: time.Now(), Absent: true}))
	if status := here.run(t, 0, "status"); !strings.Contains(status, "SILENT") {
		t.Errorf("status does not name it:\n%s", status)
	}
	here.run(t, 4, "recover", spec)
	here.run(t, 0, "recover", spec, "--without", "SILENT")
	if status := here.run(t, 0, "status"); strings.Contains(status, "SILENT") {
		t.Errorf("it is still told:\n%s", status)
	}
}
