package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// JobStatus is what is known of a job.
type JobStatus string

// The statuses of a job. Waiting stands for every status that the marketplace
// uses and does not tell of.
const (
	JobOnline   JobStatus = "online"
	JobFinished JobStatus = "finished"
	JobWaiting  JobStatus = "waiting"
	JobGone     JobStatus = "gone"
)

// Job is one job that a campaign owns.
type Job struct {
	ID       int64
	Campaign string
	Item     string
	// Slot is the slot of the create that made it; zero for adopted jobs.
	Slot   time.Time
	Status JobStatus
	// Seats is how many seats were bought, by our books. Vague tells that some were
	// given back, and that how many was estimated.
	Seats int
	Vague bool
	// Price is what one seat pays the worker, in USD.
	Price money.USD
	// Charged and Refunded are its money so far, in USD.
	Charged, Refunded money.USD
	// Applications is the marketplace's count of applications, and Pending how
	// many wait for a rating, when they were last read.
	Applications, Pending int
	// Approved is how many are known to be approved.
	Approved int
	// Before is how many seats were filled when it was adopted; 0 for other jobs.
	Before int
	// MadeAt is when it came into the books, and FullAt when it was first seen
	// with all of its seats taken, or finished; zero where it was not yet, and
	// where that was before the books tell.
	MadeAt, FullAt time.Time
	// Oldest is when the oldest pending one was handed in, as of that read.
	Oldest time.Time
	// Listed is when the list of its applications was read last; zero means
	// never. Counted is what Applications was then, Whole tells that the rated
	// ones were read too, and Calm counts the reads that brought nothing new.
	Listed  time.Time
	Counted int
	Whole   bool
	Calm    int
	// Lane is the operation that holds the job now.
	Lane string
	// Title and SeenAt are from the last look at the marketplace.
	Title  string
	SeenAt time.Time
	// Op is the create that made it; "" for adopted jobs.
	Op string
	// Generation changes whenever an operation on it begins or ends.
	Generation string
}

// Marker is what the job must carry by our books; "" for adopted jobs.
func (job Job) Marker() string {
	parts := strings.Split(job.Op, "/")
	if len(parts) != 4 || parts[1] == planner.ActionAdopt {
		return ""
	}
	return planner.Marker(job.Campaign, parts[1], job.Item, job.Slot)
}

// Filled is how many of the seats workers have taken.
func (job Job) Filled() int { return min(job.Applications, job.Seats) }

// Consumed is what the seats are worth that were filled while the job was its
// campaign's, in USD without fees.
func (job Job) Consumed() (money.USD, error) {
	return job.Price.Times(int64(max(0, job.Filled()-job.Before)))
}

// View is what the planner needs of a job.
func (job Job) View() planner.Job {
	return planner.Job{
		ID: job.ID, Item: job.Item, Slot: job.Slot, Seats: job.Seats,
		Online: job.Status == JobOnline || job.Status == JobWaiting, Gone: job.Status == JobGone,
	}
}

// Views is View for many jobs.
func Views(jobs []Job) []planner.Job {
	out := make([]planner.Job, len(jobs))
	for i, job := range jobs {
		out[i] = job.View()
	}
	return out
}

// Jobs lists a campaign's jobs, oldest first.
func (j *Journal) Jobs(ctx context.Context, campaign string) ([]Job, error) {
	ids, err := j.rdb.ZRange(ctx, j.keys.campaignJobs(campaign), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: jobs of %s: %w", campaign, err)
	}
	return j.readJobs(ctx, ids)
}

// AllJobs lists every job of every campaign.
func (j *Journal) AllJobs(ctx context.Context) ([]Job, error) {
	ids, err := j.rdb.SMembers(ctx, j.keys.jobs()).Result()
	if err != nil {
		return nil, fmt.Errorf("journal: jobs: %w", err)
	}
	return j.readJobs(ctx, ids)
}

// CountJobs tells how many jobs all campaigns have.
func (j *Journal) CountJobs(ctx context.Context) (int, error) {
	n, err := j.rdb.SCard(ctx, j.keys.jobs()).Result()
	if err != nil {
		return 0, fmt.Errorf("journal: jobs: %w", err)
	}
	return int(n), nil
}

// youth is how long after it made a job the marketplace may not show it yet.
const youth = 6 * time.Minute

// Young tells that a job was made so lately that an answer which does not know it
// says nothing: a server that reads from a copy is behind.
func (job Job) Young(now time.Time) bool { return now.Sub(job.MadeAt) < youth }

// Job reads one job, or ErrNotFound.
func (j *Journal) Job(ctx context.Context, id int64) (*Job, error) {
	jobs, err := j.readJobs(ctx, []string{jobText(id)})
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("job %d: %w", id, ErrNotFound)
	}
	return &jobs[0], nil
}

func (j *Journal) readJobs(ctx context.Context, ids []string) ([]Job, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := j.rdb.Pipeline()
	cmds := make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		cmds[i] = pipe.HGetAll(ctx, j.keys.job(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("journal: read jobs: %w", err)
	}
	jobs := make([]Job, 0, len(ids))
	for i, cmd := range cmds {
		f := cmd.Val()
		if f["c"] == "" {
			continue
		}
		f["id"] = ids[i]
		job, err := decodeJob(f)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

func decodeJob(f map[string]string) (Job, error) {
	r := reader{f: f}
	job := Job{
		ID: r.int("id"), Campaign: f["c"], Item: f["item"], Slot: r.time("slot"),
		Status: JobStatus(f["status"]), Seats: int(r.int("seats")), Vague: f["vague"] != "",
		Price: money.USD(r.int("price")), Charged: money.USD(r.int("charged")), Refunded: money.USD(r.int("refunded")),
		Applications: int(r.int("apps")), Pending: int(r.int("pending")),
		Approved: int(r.int("approved")), Before: int(r.int("before")), MadeAt: r.time("ct"), FullAt: r.time("full"),
		Oldest: r.time("oldest"), Listed: r.time("listed"), Counted: int(r.int("counted")), Whole: f["whole"] != "", Calm: int(r.int("calm")),
		Lane: f["lane"], Title: f["title"], SeenAt: r.time("seen"), Op: f["op"],
		Generation: cmp.Or(f["gen"], "0"),
	}
	if r.err != nil {
		return job, fmt.Errorf("journal: job %s: %w", f["id"], r.err)
	}
	return job, nil
}

// Sighting is what the marketplace says of a job.
type Sighting struct {
	ID           int64
	Status       JobStatus
	Applications int
	// Pending is nil where the applications were not read.
	Pending *int
	Title   string
}

// See writes what was read of jobs. Jobs that the journal does not own are
// left alone.
func (j *Journal) See(ctx context.Context, now time.Time, seen []Sighting) error {
	for _, s := range seen {
		pending := ""
		if s.Pending != nil {
			pending = fmt.Sprint(*s.Pending)
		}
		if _, err := j.run(ctx, "see", s.ID, millis(now), string(s.Status), s.Applications, pending, s.Title); err != nil {
			return err
		}
	}
	return nil
}

// Adopt gives a job that was made by hand to a campaign. One that the campaign
// owns already stays as it is; one of another campaign is refused.
func (j *Journal) Adopt(ctx context.Context, now time.Time, job Job) error {
	out, err := j.run(ctx, "adopt", job.ID, millis(now), job.Campaign, job.Item, string(job.Status),
		job.Seats, micros(job.Price), job.Applications, job.Title)
	if err != nil {
		return err
	}
	if out[0] == "owned" {
		return fmt.Errorf("job %d belongs to campaign %q already", job.ID, out[1])
	}
	return nil
}

// MendSeats corrects the seats of a job whose number is vague, once two looks tell
// the same and nothing happened to it since the first.
func (j *Journal) MendSeats(ctx context.Context, job *Job, seats int) error {
	_, err := j.run(ctx, "mendseats", job.ID, job.Generation, seats)
	return err
}

// Rehoming is what became of an attempt to correct which job a create made.
type Rehoming string

// The outcomes of Rehome.
const (
	Rehomed Rehoming = "ok"
	// RehomeBusy: an operation holds one of the two jobs.
	RehomeBusy Rehoming = "busy"
	// RehomeTouched: more than the create was booked on one of the two.
	RehomeTouched Rehoming = "touched"
	// RehomeMoved: the books are not as they were believed to be.
	RehomeMoved Rehoming = "state"
)

// Rehome corrects the books where a create was told of a wrong job: what was
// booked for job `from` moves to the job that the create made in truth, as it
// was just read. Where another create has that one, the two change places. It
// is done only while nothing but the creates themselves was booked on them.
func (j *Journal) Rehome(ctx context.Context, now time.Time, op string, from int64, to Sighting) (Rehoming, error) {
	event := Event{
		At: now.UnixMilli(), State: planner.Applied,
		Note: fmt.Sprintf("its job is %d, which carries its marker, and not %d, which it was told of", to.ID, from),
	}
	out, err := j.run(ctx, "rehome", op, from, to.ID, millis(now), event.text(), string(to.Status), to.Applications, to.Title)
	if err != nil {
		return "", err
	}
	return Rehoming(out[0]), nil
}

// Asking notes on a queued create that token asks for its price, and tells
// whether it may: one asks at a time. Should its process die, or the answer be
// lost, the marketplace may have taken the question for the create. Where after
// is above zero, a question that is lost, or older than that by the clock of
// Redis, is taken over: whoever does looks for its job first.
func (j *Journal) Asking(ctx context.Context, op, token string, after time.Duration) (bool, error) {
	age := ""
	if after > 0 {
		age = strconv.FormatInt(after.Milliseconds(), 10)
	}
	out, err := j.run(ctx, "asking", op, token, age)
	return err == nil && out[0] == "ok", err
}

// Answered ends token's question. lost tells that nobody knows the answer.
func (j *Journal) Answered(ctx context.Context, op, token string, lost bool) error {
	flag := ""
	if lost {
		flag = "1"
	}
	_, err := j.run(ctx, "answered", op, token, flag)
	return err
}

// Quote reads a kept quote by the digest of what prices it.
func (j *Journal) Quote(ctx context.Context, shape string) (money.USD, bool, error) {
	n, err := j.rdb.HGet(ctx, j.keys.quotes(), shape).Int64()
	if errors.Is(err, redis.Nil) {
		return 0, false, nil
	}
	return money.USD(n), err == nil, err
}

// KeepQuote keeps a quote.
func (j *Journal) KeepQuote(ctx context.Context, shape string, cost money.USD) error {
	return j.rdb.HSet(ctx, j.keys.quotes(), shape, int64(cost)).Err()
}
