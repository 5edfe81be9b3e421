package runner

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// watchSends opens the send log and compares it with the journal.
func (r *Runner) watchSends(ctx context.Context) error {
	dir, err := filepath.Abs(sendlog.Folder(r.cfg.Settings.DataDir))
	if err != nil {
		return fmt.Errorf("send log: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	g, err := sendlog.Start(ctx, sendlog.Config{
		Disk: sendlog.OS(dir), Journal: r.Journal, Address: r.address, Name: host + ":" + dir,
		Incarnation: r.incarnation, Now: r.cfg.Now, Draw: rand.Text, Log: r.cfg.Log, Answer: r.scaled(30 * time.Second),
	})
	if err != nil {
		return err
	}
	r.guard.Store(g)
	// Who has the log of a dead process has its lease too: a runner that comes back
	// plans at once.
	r.heir = g.Holder() + "/"
	r.holder = r.heir + rand.Text()
	// A connection that was made meanwhile told nobody which Redis it leads to.
	g.Doubt(reasonOpened)
	return nil
}

// reasonOpened is why nothing is sent in the first moment.
const reasonOpened = "the send log was just opened: it is compared once more"

// incarnation names the running Redis. The one within this process ends with it.
func (r *Runner) incarnation(ctx context.Context) (string, error) {
	if r.redis != nil && !r.redis.Durable() {
		return "", nil
	}
	return r.Journal.Incarnation(ctx)
}

// connected is told of each new connection to Redis.
func (r *Runner) connected(info string) {
	g, server := r.guard.Load(), journal.IncarnationOf(info)
	if g == nil || server == "" {
		return
	}
	if _, several := r.once.(*redis.ClusterClient); several {
		// Which of the nodes holds the journal is asked for when it is compared.
		if _, known := r.nodes.LoadOrStore(server, true); !known {
			g.Doubt("another node of the Redis cluster answers: the send log is compared with the journal first")
		}
		return
	}
	g.Connected(server)
}

// leaveWithin bounds how long the runner's leave of the others may take.
const leaveWithin = 2 * time.Second

// leave takes the runner off the roster, once nothing is on its way any more.
func (r *Runner) leave(g *sendlog.Guard) error {
	ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
	defer cancel()
	return g.Close(ctx)
}
