package journal

import (
	"context"
	"errors"
	"sync"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Specs keeps the campaigns that operations refer to. A page of operations asks
// once for the digests of its campaigns and reads only those that changed. It
// is safe for concurrent use.
type Specs struct {
	from  specReader
	mu    sync.Mutex
	known map[string]*Spec
}

type specReader interface {
	Heads(ctx context.Context, names []string) ([]CampaignHead, error)
	Campaign(ctx context.Context, name string) (*Registered, error)
}

// Spec is a registered campaign with its items and actions by name.
type Spec struct {
	*Registered
	Items   map[string]campaigns.Item
	actions map[string]*campaigns.Action
	sched   sync.Map
}

// maxSpecs bounds the memory of a process that serves very many campaigns.
const maxSpecs = 10_000

// NewSpecs returns an empty cache over a journal.
func NewSpecs(from specReader) *Specs { return &Specs{from: from, known: map[string]*Spec{}} }

// Refresh makes the copies of the named campaigns current.
func (s *Specs) Refresh(ctx context.Context, names []string) error {
	heads, err := s.from.Heads(ctx, names)
	if err != nil {
		return err
	}
	for _, h := range heads {
		if known := s.Get(h.Name); known != nil && known.Digest == h.Digest && known.State == h.State && known.Since.Equal(h.Since) {
			continue
		}
		reg, err := s.from.Campaign(ctx, h.Name)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		s.put(reg)
	}
	return nil
}

// Get returns a campaign as of the last Refresh, or nil.
func (s *Specs) Get(name string) *Spec {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[name]
}

func (s *Specs) put(reg *Registered) {
	sp := &Spec{
		Registered: reg,
		Items:      make(map[string]campaigns.Item, len(reg.Spec.Items)),
		actions:    make(map[string]*campaigns.Action, len(reg.Spec.Actions)),
	}
	for _, item := range reg.Spec.Items {
		sp.Items[item.Key] = item
	}
	for i := range reg.Spec.Actions {
		sp.actions[reg.Spec.Actions[i].ID] = &reg.Spec.Actions[i]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxSpecs {
		clear(s.known)
	}
	s.known[reg.Spec.Name] = sp
}

// Action finds an action of the spec by its id, or nil.
func (s *Spec) Action(id string) *campaigns.Action { return s.actions[id] }

// Schedule is the parsed schedule of an action.
func (s *Spec) Schedule(a *campaigns.Action) (*campaigns.Schedule, error) {
	if kept, ok := s.sched.Load(a.ID); ok {
		if sc, ok := kept.(*campaigns.Schedule); ok {
			return sc, nil
		}
	}
	sc, err := a.Schedule()
	if err != nil {
		return nil, err
	}
	s.sched.Store(a.ID, sc)
	return sc, nil
}
