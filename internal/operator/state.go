package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// state is what the journal knows of the campaigns of some files.
type state struct {
	known []planner.Known
	heads map[string]journal.CampaignHead
	marks map[string]map[string]journal.Mark
	jobs  map[string][]planner.Job
	// empty tells that no campaign was ever registered.
	empty bool
}

// headsChunk is how many heads are read in one round trip.
const headsChunk = 2_000

// readState reads what is registered of the files' campaigns, and of those that
// were registered from them before. Campaigns that are new cost nothing.
func (o *Operator) readState(ctx context.Context, files []*campaigns.File) (*state, error) {
	st := &state{heads: map[string]journal.CampaignHead{}}
	all, err := o.Journal.CampaignNames(ctx)
	if err != nil {
		return nil, err
	}
	st.empty = len(all) == 0
	registered := make(map[string]bool, len(all))
	for _, name := range all {
		registered[name] = true
	}
	specs := map[string]*campaigns.Campaign{}
	names := map[string]bool{}
	for _, f := range files {
		for i := range f.Campaigns {
			if name := f.Campaigns[i].Name; registered[name] {
				specs[name], names[name] = &f.Campaigns[i], true
			}
		}
		before, err := o.Journal.SourceCampaigns(ctx, f.Source)
		if err != nil {
			return nil, err
		}
		for _, name := range before {
			names[name] = true
		}
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(names)), headsChunk) {
		heads, err := o.Journal.Heads(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			st.heads[h.Name] = h
			st.known = append(st.known, planner.Known{
				Name: h.Name, Digest: h.Digest, Source: h.Source, Removed: h.State == journal.Removed,
			})
		}
	}
	if st.marks, err = o.Journal.Marks(ctx, slices.Collect(maps.Values(specs))); err != nil {
		return nil, err
	}
	st.jobs, err = o.jobsOf(ctx, slices.Collect(maps.Keys(specs)))
	return st, err
}

// manyCampaigns is from when on all jobs are read at once.
const manyCampaigns = 50

func (o *Operator) jobsOf(ctx context.Context, names []string) (map[string][]planner.Job, error) {
	out := map[string][]planner.Job{}
	if len(names) > manyCampaigns {
		jobs, err := o.Journal.AllJobs(ctx)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			out[j.Campaign] = append(out[j.Campaign], j.View())
		}
		return out, nil
	}
	for _, name := range names {
		jobs, err := o.Journal.Jobs(ctx, name)
		if err != nil {
			return nil, err
		}
		out[name] = journal.Views(jobs)
	}
	return out, nil
}

// outlook is what a look ahead at a campaign starts from, as registering it
// would leave it.
func (o *Operator) outlook(d planner.Difference, st *state, opt Options) planner.Outlook {
	now := o.Now().UTC()
	look := planner.Outlook{Campaign: d.Spec, Jobs: st.jobs[d.Name], Now: now, Until: now.Add(opt.Horizon)}
	marks := st.marks[d.Name]
	if len(marks) == 0 {
		return look
	}
	look.Marks, look.Done = map[string]time.Time{}, map[string]bool{}
	for i := range d.Spec.Actions {
		a := &d.Spec.Actions[i]
		m, ok := marks[a.ID]
		if !ok || (d.Change == planner.ChangeNew && !a.Now) {
			// A campaign that comes back owes nothing for the time it was gone.
			continue
		}
		look.Marks[a.ID] = m.Watermark
		again := d.Change != planner.ChangeUnchanged && a.Do == campaigns.DoCreate
		look.Done[a.ID] = m.Over && !again
	}
	return look
}

// changedParts are the parts of a spec that differ from the registered one.
func (o *Operator) changedParts(ctx context.Context, c *campaigns.Campaign) ([]string, error) {
	reg, err := o.Journal.Campaign(ctx, c.Name)
	if err != nil {
		return nil, err
	}
	was, err := parts(reg.Spec)
	if err != nil {
		return nil, err
	}
	is, err := parts(c)
	if err != nil {
		return nil, err
	}
	changed := []string{}
	for _, name := range slices.Sorted(maps.Keys(merged(was, is))) {
		if !bytes.Equal(was[name], is[name]) {
			changed = append(changed, name)
		}
	}
	return changed, nil
}

func merged(a, b map[string]json.RawMessage) map[string]json.RawMessage {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func parts(c *campaigns.Campaign) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	return out, json.Unmarshal(b, &out)
}
