package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// NewJob is a job to create. Exactly one of International, CountryIDs and
// TeamID says who may apply.
type NewJob struct {
	Title string
	// Price is what one seat pays the worker, in USD; above zero.
	Price money.USD
	// Seats is how many workers may do it; at least 1.
	Seats         int
	International bool
	CountryIDs    []int64
	TeamID        int64
	CategoryID    int64
	// Automated lets the marketplace check the work, in the categories that
	// have such a check and with the proof that they ask for.
	Automated bool
	// Minutes is the estimated time for one seat; at least 1.
	Minutes int
	// Limit paces the job; nil does not.
	Limit *JobLimit
	Steps []string
	Proof []Proof
	// SendTweet has the marketplace announce the job, for a fee.
	SendTweet bool
	// HideSearchEngines shows the job to members only.
	HideSearchEngines bool
}

// JobLimit is how often a job may be done in a period.
type JobLimit struct {
	Limit    int       `json:"limit"`
	Duration LimitUnit `json:"duration"`
}

// LimitUnit is the period of a limit.
type LimitUnit string

// The periods that the marketplace knows.
const (
	Hourly LimitUnit = "hourly"
	Daily  LimitUnit = "daily"
)

// Quote is what creating a job would cost.
type Quote struct {
	// Cost is what the whole job would be charged, fees included, in USD.
	Cost money.USD
	// JobID is not zero if the marketplace overlooked that only the cost was
	// asked for, and made the job.
	JobID int64
}

// MarshalJSON writes the quote in the API's own names, the cost as a number.
func (q Quote) MarshalJSON() ([]byte, error) {
	b := fmt.Appendf(nil, `{"result":"ok","cost":%s`, q.Cost)
	if q.JobID != 0 {
		b = fmt.Appendf(b, `,"job_id":%d`, q.JobID)
	}
	return append(b, '}'), nil
}

// jobBody is a NewJob on the wire: numbers as numbers, flags only where set.
type jobBody struct {
	Title     string      `json:"title"`
	Price     json.Number `json:"price"`
	Seats     int         `json:"availseats"`
	Country   any         `json:"country"`
	Category  int64       `json:"category"`
	Automated int         `json:"automated,omitempty"`
	Minutes   int         `json:"time"`
	Limit     *JobLimit   `json:"job_limit,omitempty"`
	Steps     []string    `json:"expected"`
	Proof     []Proof     `json:"proof"`
	SendTweet int         `json:"send_tweet,omitempty"`
	Hide      int         `json:"hide_search_engines,omitempty"`
	TeamID    int64       `json:"team_id,omitempty"`
	GetCost   int         `json:"get_cost,omitempty"`
}

func (j NewJob) body() jobBody {
	b := jobBody{
		Title: j.Title, Price: json.Number(j.Price.String()), Seats: j.Seats, Country: "INT",
		Category: j.CategoryID, Automated: bit(j.Automated), Minutes: j.Minutes, Limit: j.Limit,
		Steps: j.Steps, Proof: j.Proof, SendTweet: bit(j.SendTweet), Hide: bit(j.HideSearchEngines),
		TeamID: j.TeamID,
	}
	if j.TeamID != 0 {
		b.Country = 0
	}
	if len(j.CountryIDs) > 0 {
		b.Country = j.CountryIDs
	}
	return b
}

func bit(set bool) int {
	if set {
		return 1
	}
	return 0
}

// check finds what the reference forbids, so that it is not sent.
func (j NewJob) check() error {
	audiences := bit(j.International) + bit(len(j.CountryIDs) > 0) + bit(j.TeamID != 0)
	switch {
	case j.Title == "":
		return invalid(createJob, "the job has no title")
	case j.Price <= 0:
		return invalid(createJob, "price %s must be above 0", j.Price)
	case j.Seats < 1:
		return invalid(createJob, "%d seats must be 1 or more", j.Seats)
	case j.Minutes < 1:
		return invalid(createJob, "%d minutes must be 1 or more", j.Minutes)
	case j.CategoryID < 1:
		return invalid(createJob, "category %d must be an id of the marketplace", j.CategoryID)
	case audiences != 1:
		return invalid(createJob,
			"the job needs one of international, countries or a team, and has %d", audiences)
	case j.TeamID < 0:
		return invalid(createJob, "team %d must be an id of the marketplace", j.TeamID)
	case len(j.Steps) == 0 || len(j.Proof) == 0:
		return invalid(createJob, "the job needs at least one step and one proof")
	}
	return j.Limit.check(createJob)
}

func (l *JobLimit) check(e endpoint) error {
	if l == nil {
		return nil
	}
	if l.Limit < 1 || l.Duration != Hourly && l.Duration != Daily {
		return invalid(e, "limit %d %s must be 1 or more, hourly or daily", l.Limit, l.Duration)
	}
	return nil
}

// CreateJob creates a job and pays for its seats.
func (c *Client) CreateJob(ctx context.Context, job NewJob) (Receipt, error) {
	if err := job.check(); err != nil {
		return Receipt{}, err
	}
	var receipt Receipt
	err := c.call(ctx, createJob, nil, job.body(), func(v any) (err error) {
		receipt, err = readReceipt(v, 0)
		return err
	})
	return receipt, err
}

// Quote asks what the job would cost. It is the same request as CreateJob with
// get_cost set, so an error of unknown effect may mean a job: treat it so. The
// JobID of a Quote is told even beside an error.
func (c *Client) Quote(ctx context.Context, job NewJob) (Quote, error) {
	if err := job.check(); err != nil {
		return Quote{}, err
	}
	body := job.body()
	body.GetCost = 1
	var quote Quote
	err := c.call(ctx, createJob, nil, body, func(v any) (err error) {
		quote, err = readQuote(v)
		return err
	})
	return quote, err
}

// readQuote takes a cost with or without a word of success, since the reference
// does not show the answer.
func readQuote(v any) (Quote, error) {
	o, ok := only(v)
	if !ok {
		return Quote{}, fmt.Errorf("it holds no cost")
	}
	id, err := answeredID(o, "job_id")
	if err != nil {
		return Quote{}, err
	}
	cost, err := answeredCost(o)
	return Quote{Cost: cost, JobID: id}, err
}
