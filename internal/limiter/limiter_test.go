package limiter_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/internal/limiter"
)

func setup(t *testing.T, interval time.Duration) (*limiter.Limiter, *miniredis.Miniredis) {
	t.Helper()
	mr := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: mr.Addr(), MaxRetries: -1, DisableIdentity: true})
	t.Cleanup(func() { _ = rdb.Close() })
	return limiter.New(rdb, interval), mr
}

func TestPermitsOfTwoProcessesComeFromOneLine(t *testing.T) {
	t.Parallel()
	mr := miniredis.RunT(t)
	const interval = 20 * time.Millisecond
	start := time.Now()
	done := make(chan error)
	for range 2 {
		rdb := redis.NewClient(&redis.Options{Addr: mr.Addr(), MaxRetries: -1, DisableIdentity: true})
		t.Cleanup(func() { _ = rdb.Close() })
		l := limiter.New(rdb, interval)
		go func() {
			for range 5 {
				if err := l.Wait(context.Background()); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	// Ten permits need nine intervals; more time than that proves nothing.
	if got := time.Since(start); got < 9*interval {
		t.Errorf("10 permits in %v, want at least %v", got, 9*interval)
	}
}

func TestUrgentGoesAhead(t *testing.T) {
	t.Parallel()
	l, _ := setup(t, 50*time.Millisecond)
	ctx := context.Background()
	if err := l.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	order := make(chan string, 9)
	for range 8 {
		go func() { _ = l.Wait(ctx); order <- "patient" }()
	}
	if first := <-order; first != "patient" {
		t.Fatal(first)
	}
	go func() { _ = l.Wait(limiter.Urgent(ctx)); order <- "urgent" }()
	place := 2
	for who := range order {
		if who == "urgent" {
			break
		}
		place++
	}
	if place > 5 {
		t.Errorf("urgent came as number %d of 9", place)
	}
}

func TestOffLetsEverythingPass(t *testing.T) {
	t.Parallel()
	l, mr := setup(t, 0)
	mr.Close()
	if err := l.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestRefusalKeepsEveryoneQuiet(t *testing.T) {
	t.Parallel()
	l, _ := setup(t, time.Millisecond)
	ctx := context.Background()
	if err := l.Refused(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := l.Wait(ctx); err == nil {
		t.Error("a permit was given within the time that Retry-After named")
	}
}

func TestRedisDownIsAnError(t *testing.T) {
	t.Parallel()
	l, mr := setup(t, time.Millisecond)
	mr.Close()
	if err := l.Wait(context.Background()); err == nil {
		t.Error("a permit without Redis: processes would no longer be paced together")
	}
}
