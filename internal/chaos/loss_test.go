//go:build chaos

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// loss is a way in which a Redis loses what it acknowledged, while runners work.
type loss struct {
	name string
	// before is done while the load begins, lose in its midst.
	before, lose func(w *world)
}

var losses = []loss{
	{name: "flushall", lose: func(w *world) { must(w.t, w.rdb.FlushAll(w.t.Context()).Err()) }},
	{name: "an older copy of its files", before: (*world).copyRedis, lose: (*world).restoreRedis},
	{name: "a replica that lacks the last second is promoted", before: (*world).replicate, lose: (*world).failOver},
}

// TestLoss demands that a Redis which lost writes is noticed, that nothing is
// sent from then on, that `enqueue recover` ends it, and that nothing is bought
// twice.
func TestLoss(t *testing.T) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			s := scenario{name: l.name, test: "TestLoss", runners: 2, items: 24, seconds: 20, share: 0.2, proxied: true}
			w := newWorld(t, s, *seedFlag)
			w.suffer(l)
		})
	}
}

func (w *world) suffer(l loss) {
	path := w.spec(time.Now().Add(time.Duration(w.s.seconds) * time.Second))
	w.await("the spec to be applied", func() bool {
		_, _, code := w.enqueue("apply", path, "--yes")
		return code == 0
	})
	if l.before != nil {
		l.before(w)
	}
	time.Sleep(4 * time.Second)
	l.lose(w)
	w.await("the loss to be told", func() bool {
		out, _, code := w.enqueue("status", "-o", "json")
		return code == 0 && strings.Contains(out, "enqueue recover")
	})
	before := w.sent()
	time.Sleep(5 * time.Second)
	if after := w.sent(); after != before {
		w.fail("%d changes were sent after the loss was told", after-before)
	}
	must(w.t, w.order("/sandbox/faults", ""))
	args := append([]string{"recover", path, "-o", "json"}, w.otherLogs()...)
	said := ""
	w.await("recover to end it", func() bool {
		out, stderr, code := w.enqueue(args...)
		if now := fmt.Sprintf("recover exits %d: %s", code, stderr); code != 0 && now != said {
			w.t.Logf("%s%s", out, now)
			said = now
		}
		return code == 0
	})
	for _, campaign := range []string{"bulk", "cycle", "edge"} {
		w.enqueue("resume", campaign)
	}
	w.quiesce()
	w.judge()
	w.t.Logf("seed %d: %s", w.seed, w.report())
}

// otherLogs names the send logs of the runners but the first, whose folder the
// commands share.
func (w *world) otherLogs() []string {
	var args []string
	for _, r := range w.runners[1:] {
		logs, err := filepath.Glob(filepath.Join(r.dir, "sends", "*.log"))
		must(w.t, err)
		for _, log := range logs {
			args = append(args, "--log", log)
		}
	}
	return args
}

// sent counts the changes that arrived at the marketplace.
func (w *world) sent() uint64 {
	var traffic struct {
		Received map[string]uint64 `json:"received"`
	}
	must(w.t, w.ask("/sandbox/requests", &traffic))
	n := uint64(0)
	for _, route := range []string{"create", "add_seats", "resume", "pause", "restart", "update", "rate"} {
		n += traffic.Received[route]
	}
	return n
}

// copyRedis keeps a copy of the files as they are now.
func (w *world) copyRedis() {
	time.Sleep(2 * time.Second)
	w.redis.now().kill()
	w.redis.copied = w.t.TempDir()
	must(w.t, os.CopyFS(w.redis.copied, os.DirFS(w.redis.dir)))
	must(w.t, w.redis.start())
}

// restoreRedis starts the Redis on that copy.
func (w *world) restoreRedis() {
	w.redis.now().kill()
	w.redis.dir = w.redis.copied
	must(w.t, w.redis.start())
}

// replicate starts a replica, behind the one address that the runners know.
func (w *world) replicate() {
	w.replica = newRedis(w.t)
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + w.replica.port, DisableIdentity: true})
	defer func() { _ = rdb.Close() }()
	must(w.t, rdb.Do(w.t.Context(), "REPLICAOF", "127.0.0.1", w.redis.port).Err())
	w.await("the replica to be in step", func() bool {
		info, err := rdb.Info(w.t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
}

// failOver stops the replica, lets the runners work on for a second, and
// promotes it in place of the first, which is gone.
func (w *world) failOver() {
	p := w.replica.now()
	p.signal(syscall.SIGSTOP)
	// What is on its way to a replica that stands still would reach it all the same.
	must(w.t, w.rdb.ClientKillByFilter(w.t.Context(), "TYPE", "replica").Err())
	time.Sleep(time.Second)
	w.redis.now().kill()
	p.signal(syscall.SIGCONT)
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + w.replica.port, DisableIdentity: true})
	defer func() { _ = rdb.Close() }()
	w.await("the replica to be promoted", func() bool {
		return rdb.Do(w.t.Context(), "REPLICAOF", "NO", "ONE").Err() == nil
	})
	w.proxy.point("127.0.0.1:" + w.replica.port)
}
