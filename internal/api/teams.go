package api

import (
	"context"
	"encoding/json"
	"time"
)

// Team is a list of workers of the account.
type Team struct {
	ID int64
	// UserID is the account that owns the team.
	UserID    int64
	Title     string
	CreatedAt time.Time
	UpdatedAt time.Time
	// Raw is the answer in the API's own names and true types; nil in a value
	// made by hand. MarshalJSON writes it.
	Raw json.RawMessage
}

func (t *Team) fields() []field {
	return []field{
		{"id", (*whole)(&t.ID), required},
		{"user_id", (*whole)(&t.UserID), optional},
		{"title", (*text)(&t.Title), optional},
		{"created_at", (*isoTime)(&t.CreatedAt), optional},
		{"updated_at", (*isoTime)(&t.UpdatedAt), optional},
	}
}

func (t *Team) keep(raw json.RawMessage) { t.Raw = raw }

// MarshalJSON writes the API's own field names with true types.
func (t Team) MarshalJSON() ([]byte, error) { return writeRecord(t.Raw, t.fields()) }

// UnmarshalJSON reads what MarshalJSON writes, and whatever the API may answer.
func (t *Team) UnmarshalJSON(b []byte) error {
	*t = Team{}
	return unmarshalRecord(b, t)
}

type teamBody struct {
	Title string `json:"title,omitempty"`
	ID    int64  `json:"id,omitempty"`
}

// Teams reads the account's teams.
func (c *Client) Teams(ctx context.Context) ([]Team, error) {
	var teams []Team
	err := c.call(ctx, getTeams, nil, nil, func(v any) (err error) {
		teams, err = readRows[Team](v, "teams")
		return err
	})
	return teams, err
}

// CreateTeam makes a team. Repeated, it makes another of the same title.
func (c *Client) CreateTeam(ctx context.Context, title string) (Team, error) {
	return c.sendTeam(ctx, createTeam, teamBody{Title: title})
}

// UpdateTeam gives a team another title.
func (c *Client) UpdateTeam(ctx context.Context, id int64, title string) (Team, error) {
	if err := checkID(updateTeam, "team", id); err != nil {
		return Team{}, err
	}
	return c.sendTeam(ctx, updateTeam, teamBody{Title: title, ID: id})
}

func (c *Client) sendTeam(ctx context.Context, e endpoint, body teamBody) (Team, error) {
	if body.Title == "" {
		return Team{}, invalid(e, "the team has no title")
	}
	var team Team
	err := c.call(ctx, e, nil, body, func(v any) (err error) {
		team, err = readOne(v, "team", func(t *Team) int64 { return t.ID }, body.ID)
		return err
	})
	return team, err
}

// DeleteTeam deletes a team at Config.DeleteTeamPath. The path is a guess, so
// check with Teams that it is gone.
func (c *Client) DeleteTeam(ctx context.Context, id int64) error {
	if err := checkID(c.deleteTeam, "team", id); err != nil {
		return err
	}
	return c.call(ctx, c.deleteTeam, nil, teamBody{ID: id}, succeeded)
}
