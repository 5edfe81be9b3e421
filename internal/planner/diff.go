package planner

import (
	"slices"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Change is how a campaign of a file differs from the registered one.
type Change string

// The changes. A campaign that was removed and comes back is new.
const (
	ChangeNew       Change = "new"
	ChangeChanged   Change = "changed"
	ChangeRemoved   Change = "removed"
	ChangeUnchanged Change = "unchanged"
)

// Known is what is registered of a campaign.
type Known struct {
	Name, Digest, Source string
	// Removed tells that it vanished from its file before.
	Removed bool
}

// Difference is one campaign with its change.
type Difference struct {
	Name   string
	Source string
	Change Change
	// Spec is the campaign as wanted; nil where it is removed.
	Spec *campaigns.Campaign
	// From is the source that it was registered from, where that is another.
	From string
}

// Diff compares files with what is registered, by digest: the campaigns of the
// files in their order, then those that vanished, by name.
func Diff(files []*campaigns.File, known []Known) []Difference {
	have := make(map[string]Known, len(known))
	for _, k := range known {
		have[k.Name] = k
	}
	var out []Difference
	wanted := map[string]bool{}
	sources := make(map[string]bool, len(files))
	for _, f := range files {
		sources[f.Source] = true
		for i := range f.Campaigns {
			c := &f.Campaigns[i]
			wanted[c.Name] = true
			out = append(out, compare(c, have))
		}
	}
	var gone []Difference
	for _, k := range known {
		if !k.Removed && !wanted[k.Name] && sources[k.Source] {
			gone = append(gone, Difference{Name: k.Name, Source: k.Source, Change: ChangeRemoved})
		}
	}
	slices.SortFunc(gone, func(a, b Difference) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return append(out, gone...)
}

func compare(c *campaigns.Campaign, have map[string]Known) Difference {
	d := Difference{Name: c.Name, Source: c.Source, Spec: c, Change: ChangeNew}
	k, found := have[c.Name]
	if !found || k.Removed {
		return d
	}
	if k.Source != c.Source {
		d.From = k.Source
	}
	d.Change = ChangeChanged
	if k.Digest == c.Digest() {
		d.Change = ChangeUnchanged
	}
	return d
}
