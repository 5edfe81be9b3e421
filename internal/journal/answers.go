package journal

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Answer is what is kept of an application, so that each is read once: enough
// to compare it with others, and no proof.
type Answer struct {
	Application int64
	// Status is the digit that the marketplace has for it, AnswerPending among
	// them; AnswerLost where only that it waits no more is known.
	Status   int
	Worker   int64
	HandedIn time.Time
	// Proof is a digest of the normalised proof; "" for one without text.
	Proof string
}

// The statuses of an answer that matter here.
const (
	AnswerLost     = 0
	AnswerDeclined = 1
	AnswerApproved = 3
	AnswerPending  = 4
	AnswerRedo     = 5
)

// text has the status as its first character: a rating changes that alone.
func (a Answer) text() string {
	return fmt.Sprintf("%d|%d|%d|%s", a.Status, a.Worker, a.HandedIn.Unix(), a.Proof)
}

func readAnswer(application, text string) (Answer, error) {
	parts := strings.SplitN(text, "|", 4)
	if len(parts) != 4 {
		return Answer{}, fmt.Errorf("journal: answer %q of application %s", text, application)
	}
	var n [4]int64
	for i, s := range []string{application, parts[0], parts[1], parts[2]} {
		var err error
		if n[i], err = strconv.ParseInt(s, 10, 64); err != nil {
			return Answer{}, fmt.Errorf("journal: answer of application %s: %w", application, err)
		}
	}
	return Answer{Application: n[0], Status: int(n[1]), Worker: n[2], HandedIn: time.Unix(n[3], 0).UTC(), Proof: parts[3]}, nil
}

// Answers reads what is kept of a job's applications, by their ids.
func (j *Journal) Answers(ctx context.Context, job int64) (map[int64]Answer, error) {
	f, err := j.rdb.HGetAll(ctx, j.keys.answers(job)).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: answers of job %d: %w", job, err)
	}
	out := make(map[int64]Answer, len(f))
	for id, text := range f {
		a, err := readAnswer(id, text)
		if err != nil {
			return nil, err
		}
		out[a.Application] = a
	}
	return out, nil
}

// answersChunk is how many answers one script writes.
const answersChunk = 500

// KeepAnswers writes what was read of a job's applications. A row that still
// shows a hand-in as pending which has a verdict by now is older than that and
// changes nothing.
func (j *Journal) KeepAnswers(ctx context.Context, job int64, list []Answer) error {
	for chunk := range slices.Chunk(list, answersChunk) {
		args := []any{job, len(chunk)}
		for _, a := range chunk {
			args = append(args, a.Application, a.text())
		}
		if _, err := j.run(ctx, "answers", args...); err != nil {
			return err
		}
	}
	return nil
}

// Listing is what a read of a job's applications came to.
type Listing struct {
	Job int64
	At  time.Time
	// Counted is the number of applications that the marketplace told before.
	Counted int
	Whole   bool
	Calm    int
	Pending int
	// Oldest is when the oldest pending one was handed in; zero where none is.
	Oldest time.Time
}

// Listed writes that a job's applications were read.
func (j *Journal) Listed(ctx context.Context, l Listing) error {
	whole := ""
	if l.Whole {
		whole = "1"
	}
	_, err := j.run(ctx, "listed", l.Job, millis(l.At), l.Counted, whole, l.Calm, l.Pending, millis(l.Oldest))
	return err
}

// rated is the application that an operation rates and the digit of its new
// status, or two empty texts.
func (op *Op) rated() (application, status string) {
	if op.Rating == nil {
		return "", ""
	}
	digit, found := map[campaigns.Verdict]int{
		campaigns.Approve: AnswerApproved, campaigns.Decline: AnswerDeclined, campaigns.Redo: AnswerRedo,
	}[op.Rating.Verdict]
	if !found {
		return "", ""
	}
	return jobText(op.Rating.ApplicationID), strconv.Itoa(digit)
}

// SetOldest writes when the oldest pending application of a campaign was handed
// in; the zero time means that none is pending.
func (j *Journal) SetOldest(ctx context.Context, campaign string, t time.Time) error {
	if t.IsZero() {
		return j.rdb.HDel(ctx, j.keys.oldest(), campaign).Err()
	}
	return j.rdb.HSet(ctx, j.keys.oldest(), campaign, millis(t)).Err()
}

// Oldest tells when the oldest pending application of each campaign that has a
// deadline for its reviews was handed in.
func (j *Journal) Oldest(ctx context.Context) (map[string]time.Time, error) {
	f, err := j.rdb.HGetAll(ctx, j.keys.oldest()).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: oldest pending applications: %w", err)
	}
	r := reader{f: f}
	out := make(map[string]time.Time, len(f))
	for campaign := range f {
		out[campaign] = r.time(campaign)
	}
	return out, r.err
}
