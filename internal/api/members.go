package api

import (
	"context"
	"encoding/json"
	"time"
)

// TeamMember is one worker of a team.
type TeamMember struct {
	ID      int64
	OwnerID int64
	// WorkerID is what AddTeamMember and DeleteTeamMember take as the user.
	WorkerID  int64
	TeamID    int64
	Note      string
	CreatedAt time.Time
	UpdatedAt time.Time
	// Raw is the answer in the API's own names and true types; nil in a value
	// made by hand. MarshalJSON writes it.
	Raw json.RawMessage
}

func (m *TeamMember) fields() []field {
	return []field{
		{"id", (*whole)(&m.ID), optional},
		{"owner_id", (*whole)(&m.OwnerID), optional},
		{"worker_id", (*whole)(&m.WorkerID), required},
		{"team_id", (*whole)(&m.TeamID), optional},
		{"note", (*text)(&m.Note), optional},
		{"created_at", (*isoTime)(&m.CreatedAt), optional},
		{"updated_at", (*isoTime)(&m.UpdatedAt), optional},
	}
}

func (m *TeamMember) keep(raw json.RawMessage) { m.Raw = raw }

// MarshalJSON writes the API's own field names with true types.
func (m TeamMember) MarshalJSON() ([]byte, error) { return writeRecord(m.Raw, m.fields()) }

// UnmarshalJSON reads what MarshalJSON writes, and whatever the API may answer.
func (m *TeamMember) UnmarshalJSON(b []byte) error {
	*m = TeamMember{}
	return unmarshalRecord(b, m)
}

type memberBody struct {
	TeamID int64  `json:"team_id"`
	UserID int64  `json:"user_id,omitempty"`
	Note   string `json:"note,omitempty"`
}

// TeamMembers reads the workers of a team. It is a POST that changes nothing.
func (c *Client) TeamMembers(ctx context.Context, team int64) ([]TeamMember, error) {
	if err := checkID(teamMembers, "team", team); err != nil {
		return nil, err
	}
	var all []TeamMember
	err := c.call(ctx, teamMembers, nil, memberBody{TeamID: team}, func(v any) (err error) {
		all, err = readRows[TeamMember](v, "members")
		return err
	})
	return all, err
}

// AddTeamMember adds a worker to a team. The marketplace requires a note.
func (c *Client) AddTeamMember(ctx context.Context, team, user int64, note string) error {
	if note == "" {
		return invalid(addMember, "the member needs a note")
	}
	return c.sendMember(ctx, addMember, memberBody{team, user, note})
}

// DeleteTeamMember takes a worker out of a team.
func (c *Client) DeleteTeamMember(ctx context.Context, team, user int64) error {
	return c.sendMember(ctx, deleteMember, memberBody{TeamID: team, UserID: user})
}

func (c *Client) sendMember(ctx context.Context, e endpoint, body memberBody) error {
	if err := checkID(e, "team", body.TeamID); err != nil {
		return err
	}
	if err := checkID(e, "user", body.UserID); err != nil {
		return err
	}
	return c.call(ctx, e, nil, body, succeeded)
}
