package journal

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Review is a rating run that is to be carried out: the applications of a
// campaign are read and judged, and each decision becomes an operation.
type Review struct {
	Campaign string    `json:"campaign"`
	Action   string    `json:"action"`
	Slot     time.Time `json:"slot"`
	// ByHand tells that a person asked for it, who wants to know how it is now.
	ByHand bool `json:"by_hand,omitempty"`
}

// byHand ends the member of a run that a person asked for.
const byHand = "hand"

func (r Review) member() string {
	m := r.Campaign + "/" + r.Action + "/" + millis(r.Slot)
	if r.ByHand {
		m += "/" + byHand
	}
	return m
}

// Reviews lists the rating runs that are not finished, oldest first.
func (j *Journal) Reviews(ctx context.Context) ([]Review, error) {
	members, err := j.rdb.ZRange(ctx, j.keys.reviews(), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: reviews: %w", err)
	}
	out := make([]Review, 0, len(members))
	for _, m := range members {
		parts := strings.Split(m, "/")
		if len(parts) != 3 && (len(parts) != 4 || parts[3] != byHand) {
			return nil, fmt.Errorf("journal: review %q is not campaign/action/slot", m)
		}
		ms, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("journal: review %q: %w", m, err)
		}
		out = append(out, Review{Campaign: parts[0], Action: parts[1], Slot: time.UnixMilli(ms).UTC(), ByHand: len(parts) == 4})
	}
	return out, nil
}

// AddReview asks for a rating run that no schedule asked for.
func (j *Journal) AddReview(ctx context.Context, now time.Time, r Review) error {
	return j.rdb.ZAdd(ctx, j.keys.reviews(), redis.Z{Score: float64(now.UnixMilli()), Member: r.member()}).Err()
}

// FinishReview takes a rating run off the list.
func (j *Journal) FinishReview(ctx context.Context, r Review) error {
	return j.rdb.ZRem(ctx, j.keys.reviews(), r.member()).Err()
}
