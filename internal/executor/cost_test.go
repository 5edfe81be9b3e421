package executor_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/sendlog"
)

// trips counts the pipelines that go to Redis.
type trips struct {
	redis.UniversalClient
	n atomic.Int64
}

func (c *trips) Pipeline() redis.Pipeliner { c.n.Add(1); return c.UniversalClient.Pipeline() }

// syncs counts the fsyncs of a folder.
type syncs struct {
	sendlog.OS
	n atomic.Int64
}

func (d *syncs) Append(name string) (sendlog.File, error) {
	f, err := d.OS.Append(name)
	return syncing{f, d}, err
}

type syncing struct {
	sendlog.File
	d *syncs
}

func (f syncing) Sync() error { f.d.n.Add(1); return f.File.Sync() }

func TestTheSendLogCostsASendOneFsyncAndNoRoundTrip(t *testing.T) {
	t.Parallel()
	r := newForgetful(t)
	client := &trips{UniversalClient: r.store.Client()}
	books, err := journal.Open(client)
	r.must(err)
	r.books = books
	disk := &syncs{OS: sendlog.OS(t.TempDir())}
	r.startOn(disk)
	measure := func() (int64, int64) {
		r.clock.advance(time.Minute)
		ids := r.occurrence("create")[:1]
		before, synced := client.n.Load(), disk.n.Load()
		_, err := r.exec.Perform(t.Context(), ids)
		r.must(err)
		r.want(ids[0], "applied")
		return client.n.Load() - before, disk.n.Load() - synced
	}
	measure() // what is read once has been
	with, fsyncs := measure()
	r.exec = r.executor(nil)
	measure()
	without, none := measure()
	if with != without || with == 0 {
		t.Errorf("%d round trips with the send log, %d without", with, without)
	}
	if fsyncs != 1 || none != 0 {
		t.Errorf("%d fsyncs with the send log, %d without", fsyncs, none)
	}
}
