package campaigns

import "sync"

// memo keeps what was made of a text, so that a hundred thousand campaigns
// with the same schedule parse it once. It starts afresh when it is full, so
// that its size stays bounded whatever it is given.
type memo[T any] struct {
	mu   sync.RWMutex
	made map[string]made[T]
}

type made[T any] struct {
	value T
	err   error
}

// A memo holds at most memoSize texts of at most memoText bytes.
const (
	memoSize = 4096
	memoText = 1024
)

// get returns what make gave for the text, now or earlier.
func (m *memo[T]) get(text string, make func(string) (T, error)) (T, error) {
	if len(text) > memoText {
		return make(text)
	}
	m.mu.RLock()
	entry, ok := m.made[text]
	m.mu.RUnlock()
	if ok {
		return entry.value, entry.err
	}
	entry.value, entry.err = make(text)
	m.put(text, entry)
	return entry.value, entry.err
}

func (m *memo[T]) put(text string, entry made[T]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made == nil || len(m.made) >= memoSize {
		m.made = make(map[string]made[T])
	}
	m.made[text] = entry
}
