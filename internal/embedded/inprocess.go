package embedded

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// expiryTick is how often keys of the in-process Redis grow older. Each tick
// visits every key, which takes 40 ms at 40,000 of them.
const expiryTick = 250 * time.Millisecond

// inProcess is a Redis in this process's memory.
type inProcess struct {
	redis *miniredis.Miniredis
	now   func() time.Time
	quit  chan struct{}
	ended sync.WaitGroup
}

// startInProcess listens on a free loopback port. Any local user can connect
// there, hence the password.
func startInProcess(now func() time.Time) (instance, string, error) {
	p := &inProcess{redis: miniredis.NewMiniRedis(), now: now, quit: make(chan struct{})}
	password := rand.Text()
	p.redis.RequireAuth(password)
	if err := p.redis.StartAddr("127.0.0.1:0"); err != nil {
		return nil, "", fmt.Errorf("in-process redis: %w", err)
	}
	p.ended.Add(1)
	go p.tick()
	u := url.URL{Scheme: "redis", User: url.UserPassword("", password), Host: p.redis.Addr()}
	return p, u.String(), nil
}

// tick lets keys expire: miniredis leaves that to its user.
func (p *inProcess) tick() {
	defer p.ended.Done()
	ticker := time.NewTicker(expiryTick)
	defer ticker.Stop()
	last := p.now()
	for {
		select {
		case <-p.quit:
			return
		case <-ticker.C:
		}
		now := p.now()
		if now.After(last) {
			p.redis.FastForward(now.Sub(last))
		}
		last = now
	}
}

func (p *inProcess) wait() error {
	p.ended.Wait()
	return nil
}

func (p *inProcess) stop() error {
	close(p.quit)
	p.ended.Wait()
	p.redis.Close()
	return nil
}
