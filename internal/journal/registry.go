package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// CampaignState is whether a campaign runs.
type CampaignState string

// The states of a campaign.
const (
	Active  CampaignState = "active"
	Paused  CampaignState = "paused"
	Removed CampaignState = "removed"
)

// Registered is a campaign as the journal holds it.
type Registered struct {
	Spec   *campaigns.Campaign
	Digest string
	State  CampaignState
	// Reason is why a person paused it, and Steered when a person last paused or
	// resumed it; the zero time means never.
	Reason  string
	Steered time.Time
	// Since is when it was first applied: the slot of its `now` actions.
	Since time.Time
	// Updated is when its spec last changed hands.
	Updated time.Time
}

// Register writes a campaign's spec, active unless a person paused it. Actions
// that are new, or whose trigger changed, start from now.
func (j *Journal) Register(ctx context.Context, now time.Time, c *campaigns.Campaign) error {
	spec, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("journal: campaign %s: %w", c.Name, err)
	}
	args := []any{c.Name, millis(now), spec, c.Digest(), c.Source, len(c.Actions)}
	for i := range c.Actions {
		a := &c.Actions[i]
		parent := ""
		if a.After != nil {
			parent = a.After.Campaign + "/" + a.After.Action
		}
		args = append(args, a.ID, triggerDigest(a), timed(a), first(c.Name, a, now), parent)
	}
	_, err = j.run(ctx, "register", args...)
	return err
}

// first is when an action that starts from now is to be looked at; "" means
// never. A schedule that cannot be read is looked at, so that it is told of.
func first(campaign string, a *campaigns.Action, now time.Time) string {
	if a.Now || a.Waits() {
		return millis(now)
	}
	s, err := a.Schedule()
	if err != nil {
		return millis(now)
	}
	slot, ok := s.Next(time.UnixMilli(now.UnixMilli()))
	if !ok {
		return ""
	}
	return millis(s.FireAt(slot, campaign+"/"+a.ID))
}

// triggerDigest tells whether an action's times changed: whatever moves, adds or
// takes away slots is in it.
func triggerDigest(a *campaigns.Action) string {
	at := ""
	if a.At != nil {
		at = a.At.UTC().Format(time.RFC3339)
	}
	times := fmt.Sprintf("%s|%s|%s|%s|%v|%s|%s", a.Do, a.Cron, a.Every, at, a.Now, a.On, a.Timezone)
	if a.From != nil || a.Until != nil || len(a.Except) > 0 {
		times += fmt.Sprintf("|%s|%s|%v", millisOf(a.From), millisOf(a.Until), a.Except)
	}
	if usual := (campaigns.DST{Gap: campaigns.GapShift, Overlap: campaigns.FirstTime}); a.Cron != "" && a.DST != usual {
		times += fmt.Sprintf("|%s|%s", a.DST.Gap, a.DST.Overlap)
	}
	if a.After != nil {
		times += fmt.Sprintf("|%s/%s", a.After.Campaign, a.After.Action)
	}
	sum := sha256.Sum256([]byte(times))
	return hex.EncodeToString(sum[:6])
}

func millisOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return millis(*t)
}

// SameTimes tells whether an edit of an action leaves its times as they are, so
// that it keeps its place in the schedule.
func SameTimes(a, b *campaigns.Action) bool { return triggerDigest(a) == triggerDigest(b) }

// timed tells how the scheduler has to look at an action. A create that runs
// now is looked at with each registration, since items may have come; what else
// runs now has run.
func timed(a *campaigns.Action) string {
	switch {
	case a.Waits():
		return ""
	case !a.Now:
		return "clock"
	case a.Do == campaigns.DoCreate:
		return "now"
	}
	return "once"
}

// Campaign reads one campaign, or ErrNotFound.
func (j *Journal) Campaign(ctx context.Context, name string) (*Registered, error) {
	f, err := j.rdb.HGetAll(ctx, j.keys.campaign(name)).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: campaign %s: %w", name, err)
	}
	return decodeCampaign(name, f)
}

func decodeCampaign(name string, f map[string]string) (*Registered, error) {
	if f["spec"] == "" {
		return nil, fmt.Errorf("campaign %q: %w", name, ErrNotFound)
	}
	r := reader{f: f}
	reg := &Registered{
		Spec: &campaigns.Campaign{}, Digest: f["digest"], State: CampaignState(f["state"]), Reason: f["reason"],
		Steered: r.time("steered"), Since: r.time("since"), Updated: r.time("updated"),
	}
	if err := json.Unmarshal([]byte(f["spec"]), reg.Spec); err != nil {
		return nil, fmt.Errorf("journal: campaign %s: %w", name, err)
	}
	return reg, r.err
}

// CampaignHead is what tells whether a kept copy of a campaign is current.
type CampaignHead struct {
	Name, Digest, Source string
	State                CampaignState
	Since                time.Time
}

// Heads reads the heads of campaigns in one round trip; those that the journal
// does not hold are left out.
func (j *Journal) Heads(ctx context.Context, names []string) ([]CampaignHead, error) {
	pipe := j.rdb.Pipeline()
	cmds := make([]*redis.SliceCmd, len(names))
	for i, name := range names {
		cmds[i] = pipe.HMGet(ctx, j.keys.campaign(name), "digest", "state", "source", "since")
	}
	if len(names) == 0 {
		return nil, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("journal: read campaigns: %w", err)
	}
	heads := make([]CampaignHead, 0, len(names))
	for i, cmd := range cmds {
		f := map[string]string{}
		for k, v := range cmd.Val() {
			if s, ok := v.(string); ok {
				f[[]string{"digest", "state", "source", "since"}[k]] = s
			}
		}
		if f["digest"] == "" {
			continue
		}
		r := reader{f: f}
		heads = append(heads, CampaignHead{
			Name: names[i], Digest: f["digest"], Source: f["source"],
			State: CampaignState(f["state"]), Since: r.time("since"),
		})
	}
	return heads, nil
}

// CampaignNames lists every campaign that was ever applied, sorted.
func (j *Journal) CampaignNames(ctx context.Context) ([]string, error) {
	return j.members(ctx, j.keys.campaigns())
}

// SourceCampaigns lists the campaigns that were applied from a file, sorted.
func (j *Journal) SourceCampaigns(ctx context.Context, source string) ([]string, error) {
	return j.members(ctx, j.keys.source(source))
}

func (j *Journal) members(ctx context.Context, key string) ([]string, error) {
	names, err := j.rdb.SMembers(ctx, key).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// Steer pauses, resumes or removes a campaign; its schedule stops or goes on
// with it.
func (j *Journal) Steer(ctx context.Context, now time.Time, name string, to CampaignState, reason string) error {
	out, err := j.run(ctx, "steer", name, millis(now), string(to), reason)
	if err != nil {
		return err
	}
	if out[0] == "gone" {
		return fmt.Errorf("campaign %q: %w", name, ErrNotFound)
	}
	return nil
}

// Release puts the operations that a pause held back in line and returns their ids.
func (j *Journal) Release(ctx context.Context, now time.Time, campaign string) ([]string, error) {
	ids, err := j.rdb.ZRangeByScore(ctx, j.keys.open("queued"), &redis.ZRangeBy{Min: "(" + millis(now), Max: "+inf"}).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: held operations: %w", err)
	}
	var released []string
	for chunk := range slices.Chunk(ids, createChunk) {
		args := []any{millis(now)}
		for _, id := range chunk {
			if campaign == "" || strings.HasPrefix(id, campaign+"/") {
				args = append(args, id)
			}
		}
		out, err := j.run(ctx, "release", args...)
		if err != nil {
			return released, err
		}
		released = append(released, out[1:]...)
	}
	return released, nil
}

// Stop holds everything, or lets it go on where reason is "".
func (j *Journal) Stop(ctx context.Context, reason string) error {
	if reason == "" {
		return j.rdb.Del(ctx, j.keys.stop()).Err()
	}
	return j.rdb.Set(ctx, j.keys.stop(), reason, 0).Err()
}

// Stopped is the reason why everything is held, or "".
func (j *Journal) Stopped(ctx context.Context) (string, error) {
	reason, err := j.rdb.Get(ctx, j.keys.stop()).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return reason, err
}
