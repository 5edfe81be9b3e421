package api

import "context"

// ResumeRequest buys seats for a job that is finished or paused.
type ResumeRequest struct {
	// Seats is how many to buy; at least 1.
	Seats int
	// SendTweet has the marketplace announce the job, for a fee.
	SendTweet bool
	// HideSearchEngines shows the job to members only.
	HideSearchEngines bool
}

type seatsBody struct {
	Seats     int `json:"seat_count"`
	SendTweet int `json:"send_tweet,omitempty"`
	Hide      int `json:"hide_search_engines,omitempty"`
}

// AddSeats buys n more seats for a job. Repeated, it buys them again.
func (c *Client) AddSeats(ctx context.Context, id int64, n int) (Receipt, error) {
	return c.buy(ctx, addSeats, id, seatsBody{Seats: n})
}

// ResumeJob puts a finished job online again with new seats.
func (c *Client) ResumeJob(ctx context.Context, id int64, r ResumeRequest) (Receipt, error) {
	return c.buy(ctx, resumeJob, id, seatsBody{r.Seats, bit(r.SendTweet), bit(r.HideSearchEngines)})
}

func (c *Client) buy(ctx context.Context, e endpoint, id int64, body seatsBody) (Receipt, error) {
	if err := checkID(e, "job", id); err != nil {
		return Receipt{}, err
	}
	if body.Seats < 1 {
		return Receipt{}, invalid(e, "%d seats must be 1 or more", body.Seats)
	}
	var receipt Receipt
	err := c.call(ctx, e, []string{decimal(id)}, body, func(v any) (err error) {
		receipt, err = readReceipt(v, id)
		return err
	})
	return receipt, err
}
