package operator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// savedVersion is the version of the form of saved plans.
const savedVersion = 1

// Saved is a plan in a file, with what it was made from.
type Saved struct {
	Version   int         `json:"version"`
	CreatedAt time.Time   `json:"created_at"`
	Files     []SavedFile `json:"files"`
	// State tells of each campaign how it was registered when the plan was made.
	State   map[string]string `json:"state"`
	Offline bool              `json:"offline"`
	Plan    *Plan             `json:"plan"`
}

// SavedFile is a spec file by its path and a digest of what it means.
type SavedFile struct {
	Path   string `json:"path"`
	Digest string `json:"digest"`
}

// MovedError tells that a saved plan no longer fits.
type MovedError struct{ What []string }

func (e *MovedError) Error() string {
	return "the saved plan no longer fits: " + strings.Join(e.What, "; ") + ". Make a new one with `enqueue plan --out`"
}

// Save is a plan as a file holds it; paths are those of the plan's spec files.
func (o *Operator) Save(p *Plan, paths []string) (*Saved, error) {
	s := &Saved{Version: savedVersion, CreatedAt: o.Now().UTC(), Offline: p.offline, Plan: p, State: p.serial()}
	for i, f := range p.files {
		d, err := fileDigest(f)
		if err != nil {
			return nil, err
		}
		s.Files = append(s.Files, SavedFile{Path: paths[i], Digest: d})
	}
	return s, nil
}

func fileDigest(f *campaigns.File) (string, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return "", fmt.Errorf("spec %s: %w", f.Source, err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}

// serial tells how the campaigns of a plan are registered.
func (p *Plan) serial() map[string]string {
	out := make(map[string]string, len(p.diffs))
	for _, d := range p.diffs {
		out[d.Name] = string(planner.ChangeNew)
		if h, found := p.heads[d.Name]; found {
			out[d.Name] = h.Digest + " " + string(h.State)
		}
	}
	return out
}

// Replan makes a saved plan anew from its files, read again, and refuses one
// that would now do something else, or cost more.
func (o *Operator) Replan(ctx context.Context, s *Saved, files []*campaigns.File, opt Options) (*Plan, error) {
	if s.Version != savedVersion || s.Plan == nil {
		return nil, &MovedError{[]string{"it was written by another version"}}
	}
	var moved []string
	for i, f := range files {
		d, err := fileDigest(f)
		if err != nil {
			return nil, err
		}
		if d != s.Files[i].Digest {
			moved = append(moved, s.Files[i].Path+" was edited")
		}
	}
	if len(moved) > 0 {
		return nil, &MovedError{moved}
	}
	opt.Offline = s.Offline
	p, err := o.Plan(ctx, files, opt)
	if err != nil {
		return nil, err
	}
	if moved := s.movedFrom(p); len(moved) > 0 {
		return nil, &MovedError{moved}
	}
	return p, nil
}

func (s *Saved) movedFrom(p *Plan) []string {
	var moved []string
	now := p.serial()
	for name, was := range s.State {
		if now[name] != was {
			moved = append(moved, "campaign "+name+" was applied, paused or removed meanwhile")
		}
	}
	for name := range now {
		if _, known := s.State[name]; !known {
			moved = append(moved, "campaign "+name+" came meanwhile")
		}
	}
	slices.Sort(moved)
	const few = 5
	if len(moved) > few {
		moved = append(moved[:few], fmt.Sprintf("and %d more", len(moved)-few))
	}
	if was, is := len(s.Plan.Operations), len(p.Operations); was != is {
		moved = append(moved, fmt.Sprintf("%d operations are due instead of %d", is, was))
	}
	if was, is := s.Plan.Cost, p.Cost; was != nil && is != nil && *is > *was {
		moved = append(moved, fmt.Sprintf("it costs %s USD instead of %s", is, was))
	}
	return moved
}
