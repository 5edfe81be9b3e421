package executor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/planner"
)

// prepareRate needs no read, since the decision came with the operation; a
// decline that was held is the exception.
func prepareRate(ctx context.Context, e *Executor, op *journal.Op, _ *journal.Spec) (*call, error) {
	if op.Rating == nil {
		return nil, reject("the operation holds no rating")
	}
	status, err := statusOf(op.Rating.Verdict)
	if err != nil {
		return nil, err
	}
	if !op.Rating.HoldUntil.IsZero() {
		if err := e.endHold(ctx, op); err != nil {
			return nil, err
		}
	}
	return &call{send: func(ctx context.Context) (effect, error) {
		err := e.Market.Rate(ctx, op.Rating.ApplicationID, api.Rating{Status: status, Reason: op.Rating.Reason})
		return effect{note: string(op.Rating.Verdict)}, err
	}}, nil
}

// endHold lets a held decline go when its time has come, or a person said so,
// and only where the application is still as it was judged.
func (e *Executor) endHold(ctx context.Context, op *journal.Op) error {
	r := op.Rating
	if left := r.HoldUntil.Sub(e.Now()); left > 0 && !op.Released {
		return &later{after: left, reason: HeldUntil(r.HoldUntil)}
	}
	a, err := e.Market.Application(ctx, r.ApplicationID)
	switch {
	case api.ReasonOf(err) == api.ReasonNotFound:
		return &halt{to: planner.Canceled, reason: "the application does not exist any more"}
	case err != nil:
		return err
	case a.Status == api.Declined:
		return &halt{to: planner.Applied, reason: "it had that verdict already"}
	case a.Status != api.Pending:
		return &halt{to: planner.Canceled, reason: fmt.Sprintf("the application is %s by someone else's word", a.Status)}
	case ProofDigest(a) != r.Proof:
		return &halt{to: planner.Canceled, reason: "the worker has handed in something else since it was judged"}
	}
	return nil
}

// HeldUntil says why a decline waits, and what a person can do.
func HeldUntil(t time.Time) string {
	return fmt.Sprintf("this decline is held until %s: `enqueue retry` sends it now, `enqueue resolve --not-applied` drops it",
		t.UTC().Format("2006-01-02 15:04 UTC"))
}

func statusOf(v campaigns.Verdict) (api.ApplicationStatus, error) {
	switch v {
	case campaigns.Approve:
		return api.Approved, nil
	case campaigns.Decline:
		return api.Declined, nil
	case campaigns.Redo:
		return api.NotCompleted, nil
	}
	return 0, reject("verdict %q is none of approve, decline and redo", v)
}

// ProofDigest tells one hand-in of an application from the next: a decision on
// one is never used for another.
func ProofDigest(a api.Application) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%v\x00%d", a.Proof, a.Screenshots, a.AppliedAt.Unix()))
	return hex.EncodeToString(sum[:4])
}

// ratedAlready tells, after a refusal, whether the application has the wanted
// verdict anyway.
func ratedAlready(ctx context.Context, e *Executor, op *journal.Op) (bool, effect, error) {
	status, err := statusOf(op.Rating.Verdict)
	if err != nil {
		return false, effect{}, err
	}
	a, err := e.Market.Application(ctx, op.Rating.ApplicationID)
	if err != nil || a.Status != status {
		return false, effect{}, err
	}
	return true, effect{note: "it had that verdict already"}, nil
}

// verifyRate looks at the application. One that is pending with another proof
// than the one that was judged went back to its worker in between, and so had
// been rated.
func verifyRate(ctx context.Context, e *Executor, op *journal.Op, _ evidence) (verdict, error) {
	want, err := statusOf(op.Rating.Verdict)
	if err != nil {
		return verdict{}, err
	}
	a, err := e.Market.Application(ctx, op.Rating.ApplicationID)
	if err != nil {
		return verdict{}, err
	}
	shot := map[string]any{"status": a.Status, "proof": ProofDigest(a)}
	switch {
	case a.Status == want:
		return verdict{finding: done, shot: shot, why: "the application has the verdict"}, nil
	case a.Status == api.Pending && ProofDigest(a) == op.Rating.Proof:
		return verdict{finding: notDone, shot: shot, why: "the application is pending"}, nil
	case a.Status == api.Pending && want == api.NotCompleted:
		return verdict{finding: done, shot: shot, why: "the worker handed in again since"}, nil
	}
	return verdict{finding: conflicting, shot: shot, why: fmt.Sprintf(
		"the application is %s, by someone else's word or after another hand-in", a.Status)}, nil
}
