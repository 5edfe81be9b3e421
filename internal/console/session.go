package console

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// How long a session lasts without a request, and at most.
const (
	sessionIdle = 30 * time.Minute
	sessionLife = 12 * time.Hour
)

// sessions are those who logged in, in memory: a restart logs everyone out.
// Ids are kept as digests.
type sessions struct {
	now  func() time.Time
	mu   sync.Mutex
	open map[[sha256.Size]byte]session
}

type session struct{ began, seen time.Time }

func (s session) over(now time.Time) bool {
	return now.Sub(s.seen) >= sessionIdle || now.Sub(s.began) >= sessionLife
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, open: map[[sha256.Size]byte]session{}}
}

// begin opens a session and returns its id.
func (s *sessions) begin() string {
	id, now := rand.Text(), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, old := range s.open {
		if old.over(now) {
			delete(s.open, key)
		}
	}
	s.open[sha256.Sum256([]byte(id))] = session{began: now, seen: now}
	return id
}

// touch tells whether a session is open, and keeps it from going idle.
func (s *sessions) touch(id string) bool {
	key, now := sha256.Sum256([]byte(id)), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[key]
	if !ok || found.over(now) {
		delete(s.open, key)
		return false
	}
	found.seen = now
	s.open[key] = found
	return true
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sha256.Sum256([]byte(id)))
}

// sessionCookie is the session's cookie; "" and a negative age take it away.
// The prefix binds it to this host, which browsers grant only over TLS.
func sessionCookie(r *http.Request, id string, age time.Duration) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever there is TLS; on loopback there need not be
		Name: cookieName(r), Value: id, Path: "/", MaxAge: int(age / time.Second),
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	}
}

func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-campaign-runner"
	}
	return "campaign-runner"
}

// sessionID is what the request's cookie holds, or "".
func sessionID(r *http.Request) string {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return ""
	}
	return cookie.Value
}
