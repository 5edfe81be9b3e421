package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/campaign-runner/campaign-runner/internal/api"
)

// slowAnswer is more than a request should take.
const slowAnswer = 2 * time.Second

// Clock compares our clock with the one of the server at the API's address. It
// asks without the key.
func Clock(ctx context.Context, url string, timeout time.Duration, now func() time.Time) []Finding {
	const subject = "api address"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return []Finding{wrong(subject, "correct HIRETALENTS_API_URL", "%v", err)}
	}
	client := &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	before := now()
	resp, err := client.Do(req)
	if err != nil {
		return []Finding{wrong(subject, "check HIRETALENTS_API_URL and the network", "nobody answers: %v", err)}
	}
	_ = resp.Body.Close() // only its head is of interest
	after := now()
	found := []Finding{ok(subject, "%s answers", req.URL.Host)}
	if resp.TLS != nil {
		found[0] = ok(subject, "%s answers over %s", req.URL.Host, tls.VersionName(resp.TLS.Version))
	}
	there, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return append(found, warning("api clock", "", "the server does not tell the time"))
	}
	return append(found, compareClocks("api clock", there, before, after, time.Second))
}

// Me reads whose account a key opens; api.Client does.
type Me interface {
	Me(ctx context.Context) (api.Account, error)
}

// Account looks whether the API takes the key, and whether the books are of
// that account; owner is whose they are, "" where nobody's yet.
func Account(ctx context.Context, market Me, owner string, now func() time.Time) []Finding {
	const subject = "api account"
	before := now()
	me, err := market.Me(ctx)
	took := now().Sub(before)
	var refused *api.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == api.ReasonUnauthorized:
		return []Finding{wrong(subject, "set HIRETALENTS_API_KEY to a token of the account", "the API does not accept the key")}
	case err != nil:
		return []Finding{wrong(subject, "", "the account cannot be read: %v", err)}
	}
	found := []Finding{ok(subject, "account %d holds %s USD", me.ID, me.Balance)}
	if id := strconv.FormatInt(me.ID, 10); owner != "" && owner != id {
		found[0] = wrong(subject, "use the key of that account, or another REDIS_URL for this one",
			"the key opens account %s, but this Redis holds the books of account %s", id, owner)
	}
	if took > slowAnswer {
		return append(found, warning("api speed", "", "an answer took %s", took.Round(time.Millisecond)))
	}
	return append(found, ok("api speed", "an answer took %s", took.Round(time.Millisecond)))
}
