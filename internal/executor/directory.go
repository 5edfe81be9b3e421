package executor

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
)

// directoryAge is how long the marketplace's lists are kept.
const directoryAge = time.Hour

// teamsAge is shorter: teams are made while campaigns run.
const teamsAge = time.Minute

// directory turns the names in a spec into the marketplace's ids.
type directory struct {
	market Marketplace
	now    func() time.Time

	mu         sync.Mutex
	categories kept[api.Category]
	countries  kept[api.Country]
	teams      kept[api.Team]
}

// kept is a list with the time of its reading.
type kept[T any] struct {
	rows []T
	at   time.Time
}

func newDirectory(m Marketplace, now func() time.Time) *directory {
	return &directory{market: m, now: now}
}

// get returns a list, read anew where it is older than age.
func get[T any](d *directory, k *kept[T], age time.Duration, read func() ([]T, error)) ([]T, error) {
	if !k.at.IsZero() && d.now().Sub(k.at) < age {
		return k.rows, nil
	}
	rows, err := read()
	if err != nil {
		return nil, err
	}
	k.rows, k.at = rows, d.now()
	return rows, nil
}

func (d *directory) forgetTeams() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.teams = kept[api.Team]{}
}

// resolve makes a rendered job what the marketplace takes. A name that it does
// not offer is a rejection that says so.
func (d *directory) resolve(ctx context.Context, job campaigns.Job) (api.NewJob, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := api.NewJob{
		Title: job.Title, Price: job.Price, Seats: job.Seats, Minutes: job.Minutes,
		Steps: job.Steps, Proof: proofs(job.Proof), Limit: limit(job.Limit),
		Automated: job.Automated, SendTweet: job.Tweet, HideSearchEngines: job.Hidden,
	}
	var err error
	if out.CategoryID, err = d.category(ctx, job.Category); err != nil {
		return out, err
	}
	if job.Team != "" {
		out.TeamID, err = d.team(ctx, job.Team)
		return out, err
	}
	out.CountryIDs, out.International, err = d.audience(ctx, job.Countries)
	return out, err
}

func (d *directory) category(ctx context.Context, name string) (int64, error) {
	rows, err := get(d, &d.categories, directoryAge, func() ([]api.Category, error) { return d.market.Categories(ctx) })
	if err != nil {
		return 0, err
	}
	id, numeric := number(name)
	for _, c := range rows {
		if (numeric && c.ID == id) || strings.EqualFold(c.Slug, name) || strings.EqualFold(c.Title, name) {
			return c.ID, nil
		}
	}
	return 0, reject("the marketplace has no category %q: see `enqueue api categories`", name)
}

func (d *directory) audience(ctx context.Context, names []string) ([]int64, bool, error) {
	if len(names) == 0 || (len(names) == 1 && strings.EqualFold(names[0], "INT")) {
		return nil, true, nil
	}
	rows, err := get(d, &d.countries, directoryAge, func() ([]api.Country, error) { return d.market.Countries(ctx) })
	if err != nil {
		return nil, false, err
	}
	ids := make([]int64, len(names))
	for i, name := range names {
		if ids[i], err = country(rows, name); err != nil {
			return nil, false, err
		}
	}
	return ids, false, nil
}

func country(rows []api.Country, name string) (int64, error) {
	id, numeric := number(name)
	for _, c := range rows {
		if (numeric && c.ID == id) || strings.EqualFold(c.Code, name) || strings.EqualFold(c.Name, name) {
			return c.ID, nil
		}
	}
	return 0, reject("the marketplace has no country %q: see `enqueue api countries`", name)
}

// teamPatience is how long to wait for a team that is being made.
const teamPatience = 5 * time.Second

func (d *directory) team(ctx context.Context, name string) (int64, error) {
	rows, err := get(d, &d.teams, teamsAge, func() ([]api.Team, error) { return d.market.Teams(ctx) })
	if err != nil {
		return 0, err
	}
	for _, t := range rows {
		if t.Title == name {
			return t.ID, nil
		}
	}
	d.teams = kept[api.Team]{}
	return 0, &later{after: teamPatience, reason: "the marketplace has no team " + strconv.Quote(name) + " yet"}
}

func number(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// Resolve turns the names of a job into ids, for plans.
func (e *Executor) Resolve(ctx context.Context, job campaigns.Job) (api.NewJob, error) {
	return e.dir.resolve(ctx, job)
}
