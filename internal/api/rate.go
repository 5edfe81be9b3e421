package api

import "context"

// Rating is a verdict on an application.
type Rating struct {
	// Status is Declined, Approved, or NotCompleted, which lets the worker try
	// again.
	Status ApplicationStatus
	// Reason is told to the worker; required unless Approved.
	Reason string
}

type ratingBody struct {
	Status int    `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// Rate sets the verdict on an application. An approval cannot be taken back.
func (c *Client) Rate(ctx context.Context, id int64, r Rating) error {
	if err := checkID(setApplication, "application", id); err != nil {
		return err
	}
	switch r.Status {
	case Approved:
	case Declined, NotCompleted:
		if r.Reason == "" {
			return invalid(setApplication, "a verdict of %s needs a reason", r.Status)
		}
	default:
		return invalid(setApplication,
			"an application cannot be set to %s, but to declined, approved or not completed", r.Status)
	}
	body := ratingBody{int(r.Status), r.Reason}
	return c.call(ctx, setApplication, []string{decimal(id)}, body, func(v any) error {
		return readDone(v, "app_id", id)
	})
}
