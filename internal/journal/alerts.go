package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Alert is something that a person should know of, beside parked operations.
type Alert struct {
	// Subject tells one alert from another; a new one replaces the old.
	Subject string    `json:"subject"`
	At      time.Time `json:"at"`
	Message string    `json:"message"`
}

// Alert writes an alert.
func (j *Journal) Alert(ctx context.Context, now time.Time, subject, message string) error {
	b, err := json.Marshal(Alert{Subject: subject, At: now.UTC(), Message: message})
	if err != nil {
		return err
	}
	return j.rdb.HSet(ctx, j.keys.alerts(), subject, b).Err()
}

// ClearAlert removes an alert whose cause has gone.
func (j *Journal) ClearAlert(ctx context.Context, subject string) error {
	return j.rdb.HDel(ctx, j.keys.alerts(), subject).Err()
}

// Alerts lists all alerts, oldest first.
func (j *Journal) Alerts(ctx context.Context) ([]Alert, error) {
	f, err := j.rdb.HGetAll(ctx, j.keys.alerts()).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: alerts: %w", err)
	}
	out := make([]Alert, 0, len(f))
	for subject, text := range f {
		var a Alert
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			return nil, fmt.Errorf("journal: alert %s: %w", subject, err)
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Alert) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Subject, b.Subject))
	})
	return out, nil
}
