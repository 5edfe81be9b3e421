package operator

import (
	"context"
	"errors"
	"slices"

	"github.com/campaign-runner/campaign-runner/campaigns"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// Restored is what a recovery wrote.
type Restored struct {
	Sends []SendRecovery
	// Jobs are those with a marker; none where no files were given.
	Jobs []Recovery
	// Waits tells that the files were not used yet, since a log is missing.
	Waits bool
	// Frozen are the freezes that are left.
	Frozen []journal.Freeze
}

// Restore writes a journal anew that lost writes: first what send logs tell,
// then, with files, what the markers of the marketplace's jobs tell. That is left
// to the last of several recoveries where a runner waits whose log is missing: a
// log knows to the cent what a marker lets guess. In the end the sends that
// stopped for it go on. After an error they do not, and it is repeated.
func (o *Operator) Restore(ctx context.Context, in Sends, files []*campaigns.File) (Restored, error) {
	var out Restored
	server, err := o.Journal.Incarnation(ctx)
	if err != nil {
		return out, err
	}
	if out.Sends, err = o.RecoverSends(ctx, in); err != nil {
		return out, err
	}
	if out.Waits, err = o.waits(ctx, in); err != nil {
		return out, err
	}
	if len(files) > 0 && !out.Waits {
		compared, err := o.compared(ctx, in)
		if err != nil {
			return out, err
		}
		if out.Jobs, err = o.recoverJobs(ctx, files, compared); err != nil {
			return out, err
		}
	}
	if err := o.still(ctx, server); err != nil {
		return out, err
	}
	out.Frozen, err = o.thaw(ctx, in, server)
	return out, err
}

// waits tells that something is frozen for a log that a recovery does not have.
func (o *Operator) waits(ctx context.Context, in Sends) (bool, error) {
	had := slices.Clone(in.Without)
	for _, c := range slices.Concat(in.Logs, in.Given) {
		had = append(had, c.Holder)
	}
	frozen, err := o.Journal.Frozen(ctx)
	return slices.ContainsFunc(frozen, func(f journal.Freeze) bool { return !slices.Contains(had, f.Holder) }), err
}

// compared are the highest numbers of the journal's logs, by holder.
func (o *Operator) compared(ctx context.Context, in Sends) (map[string]int64, error) {
	id, err := o.journalOf(ctx, in)
	out := map[string]int64{}
	for _, c := range slices.Concat(in.Logs, in.Given) {
		if c.Journal == id {
			out[c.Holder] = max(out[c.Holder], c.High)
		}
	}
	return out, err
}

// still returns an error where another Redis answers than the one that a
// recovery began on.
func (o *Operator) still(ctx context.Context, server string) error {
	now, err := o.Journal.Incarnation(ctx)
	if err == nil && now != server {
		err = errors.New("Redis was restarted or has failed over during the recovery, and may have lost what that wrote: run it again") //nolint:staticcheck // Redis is a name
	}
	return err
}
