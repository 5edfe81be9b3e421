package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/sandbox"
)

// benchPosts posts over kept connections, 16 in flight.
func benchPosts(b *testing.B, r *rig, next func() (path, body string)) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(client.CloseIdleConnections)
	b.SetParallelism(8)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			path, body := next()
			req, err := http.NewRequest("POST", r.url+sandbox.BasePath+path, strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer key")
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 {
				b.Errorf("%s: status %d", path, resp.StatusCode)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func BenchmarkCreate(b *testing.B) {
	r := setup(b, sandbox.Config{Balance: money.Max * 1000, Crowd: sandbox.Crowd{Off: true}})
	benchPosts(b, r, func() (string, string) { return "/jobs/create", sampleCreate })
}

func BenchmarkRate(b *testing.B) {
	r := setup(b, sandbox.Config{Balance: money.Max * 1000, Crowd: sandbox.Crowd{Off: true}})
	for left := b.N; left > 0; left -= 100_000 {
		id, err := r.AddJob(sandbox.Job{Seats: 100_000})
		r.must(err)
		_, err = r.AddApplications(id, min(left, 100_000))
		r.must(err)
	}
	var last atomic.Int64
	last.Store(500_999)
	benchPosts(b, r, func() (string, string) {
		return fmt.Sprintf("/application/%d/set", last.Add(1)), `{"status":3}`
	})
}

// BenchmarkPendingPage reads a middle page of 100,000 pending applications.
func BenchmarkPendingPage(b *testing.B) {
	r := setup(b, sandbox.Config{Balance: money.Max, Crowd: sandbox.Crowd{Off: true}})
	id, err := r.AddJob(sandbox.Job{Seats: 100_000})
	r.must(err)
	_, err = r.AddApplications(id, 100_000)
	r.must(err)
	path := fmt.Sprintf("/job/%d/applications/4/2500", id)
	for b.Loop() {
		r.get(path)
	}
}
