package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

const (
	callbackRoute = "POST " + callbackPath + "{secret}"
	callbackPath  = "/callbacks/hiretalents/"
	// Hints a second, and at once, that are handed on, of all and of one source.
	// What is above them is answered alike and dropped: polling finds it.
	hintsPerSecond  = 100
	hintsAtOnce     = 500
	sourcePerSecond = 20
	sourceAtOnce    = 100
)

// Hint is what a callback claims. It carries no signature: a reason to look,
// never a fact.
type Hint struct {
	// Event is "job-finished", "new-application" or another short word.
	Event string
	JobID int64
	// ApplicationID is 0 where the event is not about one.
	ApplicationID int64
}

func isCallback(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, callbackPath)
}

// callbacks answers 204 whatever comes: nobody learns from it whether a secret
// is right or a job exists. Without a secret there is no such page. The secret is
// compared before anything is read, and in constant time.
func (c *console) callbacks() http.HandlerFunc {
	want := sha256.Sum256([]byte(c.CallbackSecret.Reveal()))
	all, each := rate.NewLimiter(hintsPerSecond, hintsAtOnce), sources{}
	on := c.CallbackSecret.IsSet() && c.OnCallback != nil
	return func(w http.ResponseWriter, r *http.Request) {
		if !on {
			http.NotFound(w, r)
			return
		}
		outcome := "refused"
		if sameSecret(want, r.PathValue("secret")) {
			hint, ok := readHint(r.Header.Get("Content-Type"), http.MaxBytesReader(w, r.Body, maxForm))
			switch now := c.Now(); {
			case !ok:
				outcome = "unreadable"
			case !each.of(r.RemoteAddr).AllowN(now, 1) || !all.AllowN(now, 1):
				outcome = "limited"
			default:
				outcome = "taken"
				c.OnCallback(r.Context(), hint)
			}
		}
		c.Metrics.callbacks.WithLabelValues(outcome).Inc()
		w.WriteHeader(http.StatusNoContent)
	}
}

// sources are the rates at which each address may hint.
type sources struct {
	mu sync.Mutex
	at map[netip.Prefix]*rate.Limiter
}

// maxSources bounds how many addresses are remembered.
const maxSources = 10_000

// of is the limit of an address; those of one IPv6 network share it.
func (s *sources) of(remote string) *rate.Limiter {
	network := netip.Prefix{}
	if at, err := netip.ParseAddrPort(remote); err == nil {
		addr, bits := at.Addr().Unmap().WithZone(""), 32
		if addr.Is6() {
			bits = 64
		}
		network, _ = addr.Prefix(bits)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at[network] == nil {
		if s.at == nil || len(s.at) == maxSources {
			s.at = map[netip.Prefix]*rate.Limiter{}
		}
		s.at[network] = rate.NewLimiter(sourcePerSecond, sourceAtOnce)
	}
	return s.at[network]
}

// readHint reads JSON or a form of either encoding, since which one is sent is
// not documented. It is false for what names no job.
func readHint(kind string, body io.Reader) (Hint, bool) {
	b, err := io.ReadAll(body)
	if err != nil {
		return Hint{}, false
	}
	var get func(string) string
	media, params, _ := mime.ParseMediaType(kind)
	switch b = bytes.TrimSpace(b); {
	case bytes.HasPrefix(b, []byte("{")):
		get = jsonFields(b)
	case media == "multipart/form-data":
		get = multipartFields(b, params["boundary"])
	default:
		values, _ := url.ParseQuery(string(b)) // what was readable is good enough for a hint
		get = values.Get
	}
	h := Hint{Event: get("event"), JobID: number(get("job_id")), ApplicationID: number(get("application_id"))}
	return h, h.JobID > 0 && isWord(h.Event)
}

// jsonFields reads numbers that come as numbers or as strings.
func jsonFields(b []byte) func(string) string {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		return func(string) string { return "" }
	}
	return func(name string) string { return strings.Trim(string(fields[name]), `"`) }
}

func multipartFields(b []byte, boundary string) func(string) string {
	form, err := multipart.NewReader(bytes.NewReader(b), boundary).ReadForm(maxForm)
	if err != nil {
		return func(string) string { return "" }
	}
	return url.Values(form.Value).Get
}

// number is an id, or 0.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// isWord tells whether an event is a name such as the documented ones.
func isWord(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	return s != "" && len(s) <= 40 && strings.Trim(s, letters) == ""
}
