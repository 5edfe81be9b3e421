package rules

import "sync"

// compiled shares rules between the campaigns that use the same text.
var compiled cache

// cache holds rules by their text. It starts afresh when it is full, so that
// its size stays bounded whatever it is given.
type cache struct {
	mu    sync.Mutex
	rules map[string]*Rule
}

const cacheSize = 4096

// get returns the rule of a text and makes it where there is none yet. Faults
// are not kept.
func (c *cache) get(src string, compile func(string) (*Rule, error)) (*Rule, error) {
	c.mu.Lock()
	r, ok := c.rules[src]
	c.mu.Unlock()
	if ok {
		return r, nil
	}
	r, err := compile(src)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rules == nil || len(c.rules) >= cacheSize {
		c.rules = make(map[string]*Rule)
	}
	c.rules[src] = r
	return r, nil
}
