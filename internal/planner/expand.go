package planner

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Job is what the planner needs to know of a job.
type Job struct {
	ID   int64
	Item string
	// Slot is the slot of the create that made it; zero for adopted jobs.
	Slot time.Time
	// Seats is how many seats were bought, by our books.
	Seats  int
	Online bool
	// Gone tells that the marketplace does not know it any more.
	Gone bool
}

// Expand turns one occurrence of an action into operations. A rate action
// yields none: which applications there are is not known before they are read.
func Expand(c *campaigns.Campaign, a *campaigns.Action, slot time.Time, jobs []Job) []Operation {
	if a.Do == campaigns.DoRate {
		return nil
	}
	if a.Do == campaigns.DoCreate {
		return expandItems(c, a, slot)
	}
	chosen := Choose(a, jobs)
	ops := make([]Operation, 0, len(chosen))
	for _, j := range chosen {
		op := OnJob(c.Name, a.ID, Kind(a.Do), j, slot)
		op.Seats, op.UpTo = a.Seats, a.UpTo
		ops = append(ops, op)
	}
	return ops
}

func expandItems(c *campaigns.Campaign, a *campaigns.Action, slot time.Time) []Operation {
	ops := make([]Operation, len(c.Items))
	for i, item := range c.Items {
		ops[i] = Operation{
			ID:       NewID(c.Name, a.ID, item.Key, slot),
			Campaign: c.Name, Action: a.ID, Item: item.Key,
			Kind: Create, Slot: slot, Seats: seatsOf(c),
		}
	}
	return ops
}

func seatsOf(c *campaigns.Campaign) int {
	if c.Job == nil {
		return 0
	}
	return c.Job.Seats
}

// OnJob is an operation on one job.
func OnJob(campaign, action string, kind Kind, j Job, slot time.Time) Operation {
	return Operation{
		ID:       NewID(campaign, action, jobItem(j.Item, j.ID), slot),
		Campaign: campaign, Action: action, Item: j.Item,
		Kind: kind, Slot: slot.UTC(), JobID: j.ID,
	}
}

// OnApplication is a rating. Its identity is the application and what was
// handed in, whichever action and occurrence found it: a proof is judged once.
func OnApplication(campaign, action, item string, job int64, r Rating, handedIn time.Time) Operation {
	name := fmt.Sprintf("%d-%s", r.ApplicationID, r.Proof)
	return Operation{
		ID:       NewID(campaign, string(Rate), name, handedIn),
		Campaign: campaign, Action: action, Item: item,
		Kind: Rate, Slot: handedIn.UTC(), JobID: job, Rating: &r,
	}
}

// Choose picks the jobs that an action acts on, oldest first.
func Choose(a *campaigns.Action, jobs []Job) []Job {
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j Job) bool { return j.Gone })
	if a.Jobs == campaigns.JobsLatest {
		jobs = latest(jobs)
	}
	var chosen []Job
	for _, j := range jobs {
		if fits(a, j) {
			chosen = append(chosen, j)
		}
	}
	slices.SortFunc(chosen, func(a, b Job) int { return cmp.Compare(a.ID, b.ID) })
	return chosen
}

// fits leaves out jobs on which the verb would have no meaning: a finished job
// can't be paused, one that is online can't be resumed.
func fits(a *campaigns.Action, j Job) bool {
	switch a.Do {
	case campaigns.DoResume:
		return !j.Online
	case campaigns.DoPause:
		return j.Online
	}
	return a.Jobs == campaigns.JobsAll || j.Online
}

// latest keeps the newest job of each item.
func latest(jobs []Job) []Job {
	newest := make(map[string]Job, len(jobs))
	for _, j := range jobs {
		if old, seen := newest[j.Item]; !seen || j.ID > old.ID {
			newest[j.Item] = j
		}
	}
	out := make([]Job, 0, len(newest))
	for _, j := range newest {
		out = append(out, j)
	}
	return out
}

// PauseAll pauses every job that may still spend, for a reason that no spec
// names. slot tells one such occasion from the next.
func PauseAll(campaign, action string, jobs []Job, slot time.Time, because string) []Operation {
	var ops []Operation
	for _, j := range jobs {
		if !j.Online || j.Gone {
			continue
		}
		op := OnJob(campaign, action, Pause, j, slot)
		op.Because = because
		ops = append(ops, op)
	}
	return ops
}

// SyncTeams are the operations that keep a file's teams in step. The identity
// holds a digest of the wanted members, so each wish is carried out once.
func SyncTeams(source string, teams []campaigns.Team, digest func(campaigns.Team) string, slot time.Time) []Operation {
	ops := make([]Operation, len(teams))
	for i, t := range teams {
		ops[i] = Operation{
			ID:       NewID(source, ActionTeams, t.Name+"-"+digest(t), slot),
			Campaign: source, Action: ActionTeams, Item: t.Name,
			Kind: TeamSync, Slot: slot.UTC(), Team: &t,
		}
	}
	return ops
}
