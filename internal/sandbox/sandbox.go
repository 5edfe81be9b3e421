package sandbox

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Sandbox is the marketplace as an http.Handler, safe for concurrent use.
// Close ends what it runs in the background.
type Sandbox struct {
	cfg     Config
	clock   clock
	number  atomic.Uint64
	traffic *traffic
	faults  faultDraw
	limit   rateLimit
	postman *postman
	api     http.Handler
	control http.Handler
	// closed lets go of the requests that a fault keeps hanging.
	closed chan struct{}
	close  sync.Once

	mu     sync.Mutex
	market *market
}

// call is one API request, read and ready to be applied.
type call struct {
	number uint64
	route  route
	id     int64
	status string
	page   int
	in     input
	fault  Fault
}

// New makes a marketplace that nobody has used yet.
func New(cfg Config) *Sandbox {
	cfg = cfg.withDefaults()
	s := &Sandbox{
		cfg:     cfg,
		clock:   clock{now: cfg.Now},
		traffic: newTraffic(cfg.LogSize),
		limit:   rateLimit{most: cfg.RateLimit, window: cfg.RateWindow},
		postman: newPostman(cfg.CallbackJSON),
		closed:  make(chan struct{}),
	}
	s.market = newMarket(cfg, s.clock.read())
	s.market.notify = s.postman.send
	s.faults.set(cfg.Seed, cfg.Faults)
	s.api = s.newMux()
	s.control = s.newControl()
	return s
}

// Close stops the callbacks and ends hanging requests. The books stay readable.
func (s *Sandbox) Close() {
	s.close.Do(func() { close(s.closed) })
	s.postman.close()
}

// Run lets workers come and callbacks go while nobody asks anything, every so
// often in real time, until ctx ends.
func (s *Sandbox) Run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.Tick()
		}
	}
}

// Tick lets everything happen that is due by now.
func (s *Sandbox) Tick() { s.locked(func(*market) {}) }

// Advance moves the marketplace's clock ahead and lets happen what is due.
func (s *Sandbox) Advance(d time.Duration) {
	s.clock.ahead.Add(int64(d))
	s.Tick()
}

// locked runs do on the market as it is now.
func (s *Sandbox) locked(do func(*market)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.market.advance(s.clock.read())
	do(s.market)
}

// ServeHTTP answers the API, the testing surface and the index page.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/":
		s.index(w)
	case strings.HasPrefix(r.URL.Path, uploads):
		s.screenshot(w, r)
	case strings.HasPrefix(r.URL.Path, "/sandbox/"):
		s.control.ServeHTTP(w, r)
	default:
		s.api.ServeHTTP(w, r)
	}
}

// maxBody is the most that a request may send.
const maxBody = 1 << 20

// serve answers one API request. The log tells of it before it is applied, and
// of its answer before that is written, so that who has an answer finds it there.
func (s *Sandbox) serve(w http.ResponseWriter, r *http.Request, to route) {
	c := &call{number: s.number.Add(1), route: to}
	x := &exchange{s: s, w: w, r: r, c: c}
	refusal, wait := s.read(w, r, c)
	if refusal == nil && to.name != "unknown" {
		c.fault = s.faults.draw(c.route.name)
	}
	s.traffic.begin(c, r, s.clock.read())
	switch {
	case wait > 0:
		x.tooMany(wait)
	case refusal != nil:
		x.send(*refusal)
	default:
		s.delay(r.Context(), s.cfg.Latency)
		x.enact()
	}
}

// read fills the call from the request. It returns the answer to a request that
// is refused, or how long one must wait that came too soon.
func (s *Sandbox) read(w http.ResponseWriter, r *http.Request, c *call) (*answer, time.Duration) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refusal := refuse(413, "The request is too large or was cut.")
		return &refusal, 0
	}
	c.in = parseInput(body)
	if c.route.name == "create" && c.in.wantsQuote() {
		c.route.name = quote
	}
	c.status = r.PathValue("status")
	c.id = pathNumber(r, "id")
	c.page = int(pathNumber(r, "page"))
	if !s.authorized(r) {
		refusal := refuse(401, "Unauthenticated.")
		return &refusal, 0
	}
	return nil, s.limit.take(s.cfg.Wall())
}

// pathNumber is 0, which nothing has as its id, for what is no number.
func pathNumber(r *http.Request, name string) int64 {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 32)
	if err != nil {
		return 0
	}
	return n
}

func (s *Sandbox) authorized(r *http.Request) bool {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || key == "" {
		return false
	}
	return s.cfg.Key == "" || s.cfg.Key == key
}

// delay waits in real time, unless the client or the sandbox ends first.
func (s *Sandbox) delay(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.closed:
	}
}

// encode writes a body with this marketplace's habits.
func (s *Sandbox) encode(b body) []byte {
	e := newEncoder(s.cfg.Habits)
	b.encode(e)
	return e.done()
}
