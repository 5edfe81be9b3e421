package campaigns

import (
	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// File is one spec file, checked and complete: defaults are merged, time zones
// are filled in, items are read and every template has been tried on every item.
type File struct {
	// Source tells this file's campaigns from those of other files when a
	// later version of it is applied: the `name` key, or else the file's base name.
	Source string `json:"source"`
	// Timezone is the file's IANA zone. Default "UTC".
	Timezone string `json:"timezone"`
	// Budget spans all campaigns of the file; nil means no common cap.
	Budget *Budget `json:"budget,omitempty"`
	// MinBalance is what must stay in the account, in USD. Default 0.
	MinBalance money.USD  `json:"min_balance"`
	Teams      []Team     `json:"teams,omitempty"`
	Campaigns  []Campaign `json:"campaigns"`
	// Warnings are faults that do not stop the file, in order of position.
	Warnings []Issue `json:"-"`
}

// Campaign is one entry of a spec, self-contained: the registry keeps it as
// JSON and the runner needs nothing else to act on it.
type Campaign struct {
	// Name is [a-z0-9-]{1,63} and unique in the account.
	Name string `json:"name"`
	// Source is the File.Source it came from.
	Source string `json:"source"`
	// Timezone is the campaign's IANA zone, inherited from the file.
	Timezone string `json:"timezone"`
	// Items become one job each. A campaign that creates jobs has at least
	// one; without an `items` key it is a single Item with Key "-".
	Items []Item `json:"items,omitempty"`
	// Job is what to create; nil in a campaign that only adopts.
	Job *Job `json:"job,omitempty"`
	// Adopt lists the ids of jobs made by hand that the campaign takes over.
	Adopt []int64 `json:"adopt,omitempty"`
	// Budget caps the campaign; nil means no cap of its own.
	Budget *Budget `json:"budget,omitempty"`
	// FileBudget is the budget of the file, which spans its campaigns.
	FileBudget *Budget `json:"file_budget,omitempty"`
	// MinBalance is the file's MinBalance.
	MinBalance money.USD `json:"min_balance"`
	// Actions is never empty: without an `actions` key it is one create, now.
	Actions []Action `json:"actions"`
}

// Item is what one job is made from.
type Item struct {
	// Key is what makes the item itself: the text of the `key` column, the
	// joined values of a matrix, the text of a short scalar, or else a digest of
	// the fields. It is unique in the campaign and has at most 200 characters.
	Key string `json:"key"`
	// Fields are what templates see as {{ .name }}. Items may share them, so
	// they are not to be changed.
	Fields map[string]string `json:"fields,omitempty"`
}

// Team is a list of workers that the runner makes and keeps in step.
type Team struct {
	Name    string       `json:"name"`
	Members []TeamMember `json:"members,omitempty"`
}

// TeamMember is one worker of a team.
type TeamMember struct {
	User int64  `json:"user"`
	Note string `json:"note"`
}

// Job is the template of a campaign's jobs. Strings may hold Go templates over
// the item's fields.
type Job struct {
	Title string `json:"title"`
	// Category is an id, a slug or a title of the marketplace.
	Category string `json:"category"`
	// Price is what one seat pays the worker, in USD.
	Price money.USD `json:"price"`
	// Seats is how many workers may do the job; at least 1.
	Seats int `json:"seats"`
	// Countries holds INT alone, or codes, ids or names. Empty with a Team.
	Countries []string `json:"countries,omitempty"`
	// Team limits the job to the workers of this team, by name.
	Team string `json:"team,omitempty"`
	// Minutes is the estimated time for one seat; at least 1.
	Minutes int      `json:"minutes"`
	Steps   []string `json:"steps"`
	Proof   []Proof  `json:"proof"`
	// Limit paces the seats; nil means no limit.
	Limit     *Limit `json:"limit,omitempty"`
	Automated bool   `json:"automated,omitempty"`
	Tweet     bool   `json:"tweet,omitempty"`
	Hidden    bool   `json:"hidden,omitempty"`
	// RestartEvery lets the same workers in again after this long. It is
	// between a minute and 360 days; 0 disables.
	RestartEvery Duration `json:"restart_every,omitempty"`
}

// Proof is one thing that a worker must hand in.
type Proof struct {
	// Type is "text" or "image", or in automated jobs a word of the marketplace.
	Type string `json:"type"`
	Text string `json:"desc"`
}

// Limit is how many seats may be done in a period.
type Limit struct {
	Count int `json:"count"`
	// Per is "hour" or "day".
	Per string `json:"per"`
}

// Update is what an update action changes. Nil and empty fields stay as they are.
type Update struct {
	Title        *string   `json:"title,omitempty"`
	Minutes      *int      `json:"minutes,omitempty"`
	Steps        []string  `json:"steps,omitempty"`
	Proof        []Proof   `json:"proof,omitempty"`
	Limit        *Limit    `json:"limit,omitempty"`
	RestartEvery *Duration `json:"restart_every,omitempty"`
}
