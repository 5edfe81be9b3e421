package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/settings"
)

// Wrong tokens that are put up with in a minute.
const (
	guessesOfOne = 5
	guessesOfAll = 100
)

// door compares tokens and counts wrong ones. A source that was wrong too often
// is not listened to, right or wrong, until the minute is over.
type door struct {
	set  bool
	want [sha256.Size]byte
	now  func() time.Time

	mu     sync.Mutex
	minute time.Time
	wrong  map[netip.Prefix]int
	total  int
}

func newDoor(token settings.Secret, now func() time.Time) *door {
	return &door{
		set: token.IsSet(), want: sha256.Sum256([]byte(token.Reveal())), now: now, wrong: map[netip.Prefix]int{},
	}
}

// knock is the status that answers a token: 200, 401 or 429.
func (d *door) knock(r *http.Request, token string) int {
	from := source(r)
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); now.Sub(d.minute) >= time.Minute || now.Before(d.minute) {
		d.minute, d.total = now, 0
		clear(d.wrong)
	}
	if d.wrong[from] >= guessesOfOne || d.total >= guessesOfAll {
		return http.StatusTooManyRequests
	}
	if sameSecret(d.want, token) {
		return http.StatusOK
	}
	d.wrong[from]++
	d.total++
	return http.StatusUnauthorized
}

// sameSecret compares digests in constant time, so that neither the length nor
// the content of a secret shows in the time it takes.
func sameSecret(want [sha256.Size]byte, got string) bool {
	sum := sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(want[:], sum[:]) == 1
}

// source is whom guesses count for: an address, or in IPv6 the network that one
// customer has.
func source(r *http.Request) netip.Prefix {
	peer, _ := parseEndpoint(r.RemoteAddr)
	bits := peer.ip.BitLen()
	if peer.ip.Is6() {
		bits = 64
	}
	p, err := peer.ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
