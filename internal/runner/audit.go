package runner

import (
	"context"
	"fmt"
	"time"
)

const (
	// auditEvery is how often the leader compares the books with the marketplace,
	// and auditFirst how long after it became the leader.
	auditEvery = time.Hour
	auditFirst = 3 * time.Minute
	// auditRest lies between two audits that were asked for because something
	// looked wrong.
	auditRest = 2 * time.Minute
)

// rota says when to audit. It is a pure function of the times it is told.
type rota struct {
	jitter func(time.Duration) time.Duration
	next   time.Time
	last   time.Time
}

// due tells whether to audit at now, in turn or because it is wanted soon. The
// first turn comes a few minutes after the first look.
func (r *rota) due(now time.Time, wanted bool) bool {
	if r.next.IsZero() {
		r.next = now.Add(auditFirst + r.jitter(auditFirst))
	}
	early := wanted && (r.last.IsZero() || now.Sub(r.last) >= auditRest)
	if !early && now.Before(r.next) {
		return false
	}
	r.last = now
	r.next = now.Add(auditEvery - auditEvery/10 + r.jitter(auditEvery/5))
	return true
}

// suspect asks for an audit soon: something does not look as the books say.
func (r *Runner) suspect() { r.suspected.Store(true) }

// auditDue tells whether the leader is to audit now.
func (r *Runner) auditDue(now time.Time) bool {
	select {
	case <-r.verified:
	default:
		return false
	}
	if !r.rota.due(now, r.suspected.Load()) {
		return false
	}
	r.suspected.Store(false)
	return true
}

// alertAudit is the subject of the alert that an audit could not be made.
const alertAudit = "audit"

// audit compares the books with the marketplace, puts right what surely can be,
// and tells the rest.
func (r *Runner) audit(ctx context.Context) {
	found, err := r.Operator.Reconcile(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		r.complain(ctx, "audit", err)
		r.suspect() // it is made again in a few minutes, not in an hour
		err = r.Journal.Alert(ctx, r.cfg.Now(), alertAudit, fmt.Sprintf("the books could not be compared with the marketplace: %v", err))
	} else {
		r.web.metrics.SetAudit(r.cfg.Now(), found.Findings())
		err = r.Journal.ClearAlert(ctx, alertAudit)
	}
	if err != nil {
		r.complain(ctx, "alerts", err)
	}
}
