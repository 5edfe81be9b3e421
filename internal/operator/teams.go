package operator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// teamDigest tells one wish for a team from the next.
func teamDigest(t campaigns.Team) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %v", t.Name, t.Members))
	return hex.EncodeToString(sum[:4])
}

func teamFact(source, team string) string { return "team:" + source + ":" + team }

// changedTeams are the teams of each file that are wanted otherwise than when
// the file was last applied.
func (o *Operator) changedTeams(ctx context.Context, files []*campaigns.File) (map[string][]campaigns.Team, error) {
	out := map[string][]campaigns.Team{}
	for _, f := range files {
		for _, t := range f.Teams {
			last, err := o.Journal.Recall(ctx, teamFact(f.Source, t.Name))
			if err != nil {
				return nil, err
			}
			if last != teamDigest(t) {
				out[f.Source] = append(out[f.Source], t)
			}
		}
	}
	return out, nil
}

// syncTeams writes the operations that bring changed teams in step, and
// remembers what was wanted.
func (o *Operator) syncTeams(ctx context.Context, p *Plan, now time.Time, work *Work) error {
	for source, teams := range p.teams {
		if _, err := o.queue(ctx, planner.SyncTeams(source, teams, teamDigest, now)); err != nil {
			return err
		}
		for _, t := range teams {
			if err := o.Journal.Remember(ctx, teamFact(source, t.Name), teamDigest(t)); err != nil {
				return err
			}
		}
		work.Owners = append(work.Owners, source)
	}
	return nil
}
