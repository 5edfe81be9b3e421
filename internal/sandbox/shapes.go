package sandbox

import (
	"strconv"
	"strings"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

const (
	site    = "https://www.hiretalents.com" // unless Config.Site says otherwise
	ownerID = 123456
)

// answer is what a handler says. Its body is encoded after the lock is let go,
// so it must not share anything that may still change.
type answer struct {
	status int
	body   body
}

// body is one of the reference's answer shapes.
type body interface{ encode(e *encoder) }

func okay(b body) answer { return answer{200, b} }

// result is the envelope of most successes: {"result":"ok","cost":...,"job_id":...}.
type result struct {
	cost         money.USD
	hasCost      bool
	costAsString bool
	jobID, appID int64
}

func (r result) encode(e *encoder) {
	e.open('{')
	e.key("result").str("ok")
	switch {
	case r.hasCost && r.costAsString:
		e.key("cost").str(r.cost.String())
	case r.hasCost:
		e.key("cost").usd(r.cost)
	}
	if r.jobID != 0 {
		e.key("job_id").int(r.jobID)
	}
	if r.appID != 0 {
		e.key("app_id").int(r.appID)
	}
	e.close('}')
}

// done is {"ok":1}, or [{"ok":1}] for one endpoint.
type done struct{ inList bool }

func (d done) encode(e *encoder) {
	if d.inList {
		e.open('[')
		defer e.close(']')
	}
	e.open('{')
	e.key("ok").int(1)
	e.close('}')
}

// failure is a refusal as Laravel writes it.
type failure struct {
	message string
	faults  []fieldFault
}

func refuse(status int, message string) answer {
	return answer{status, failure{message: message}}
}

// invalid tells all faults of an input.
func invalid(faults []fieldFault) answer {
	message := faults[0].message
	switch n := len(faults) - 1; n {
	case 0:
	case 1:
		message += " (and 1 more error)"
	default:
		message += " (and " + strconv.Itoa(n) + " more errors)"
	}
	return answer{422, failure{message, faults}}
}

func (f failure) encode(e *encoder) {
	e.open('{')
	e.key("message").str(f.message)
	if len(f.faults) > 0 {
		e.key("errors").open('{')
		f.encodeFields(e)
		e.close('}')
	}
	e.close('}')
}

// encodeFields gathers the messages of each field, in order of the fields.
func (f failure) encodeFields(e *encoder) {
	told := map[string]bool{}
	for _, head := range f.faults {
		if told[head.field] {
			continue
		}
		told[head.field] = true
		e.key(head.field).open('[')
		for _, fault := range f.faults {
			if fault.field == head.field {
				e.str(fault.message)
			}
		}
		e.close(']')
	}
}

// jobView is a copy of a job with what depends on the moment.
type jobView struct {
	Job
	avail  int64
	locked bool
}

// encode is the shape of GET /job/{id}.
func (j jobView) encode(e *encoder) {
	e.open('{')
	j.head(e)
	e.key("type").int(0)
	j.middle(e)
	e.key("dec_reason").str(j.DecReason)
	e.key("rep_reason").str(j.RepReason)
	e.key("slug").str(j.Slug)
	e.key("created_at").stamp(j.Created)
	e.key("updated_at").stamp(j.Updated)
	e.close('}')
}

// jobList is the shape of GET /jobs/{status}/{page}, whose rows differ.
type jobList []jobView

func (l jobList) encode(e *encoder) {
	e.list(len(l), func(i int) { l[i].row(e) })
}

func (j jobView) row(e *encoder) {
	e.open('{')
	j.head(e)
	j.middle(e)
	e.key("dec_reason").strOrNull(j.DecReason)
	e.key("rep_reason").strOrNull(j.RepReason)
	e.key("created_at").stamp(j.Created)
	e.key("updated_at").stamp(j.Updated)
	e.key("url").str(site + "/job/" + j.Slug)
	e.key("hide_search_engines").flag(j.Hidden)
	e.close('}')
}

func (j jobView) head(e *encoder) {
	e.key("id").int(j.ID)
	e.key("title").str(j.Title)
	e.key("total_app").int(j.Applied)
	e.key("availseats").int(j.avail)
	e.key("time").int(j.Minutes)
	e.key("category").int(j.Category)
	e.key("price").usd(j.Price)
	e.key("country").str(j.Country)
	e.key("expected").strs(j.Expected)
	e.key("proof").open('[')
	for _, p := range j.Proof {
		e.open('{')
		e.key("desc").str(p.Desc)
		e.key("type").str(p.Type)
		e.close('}')
	}
	e.close(']')
	e.key("image").null()
	e.key("started").unix(j.Started)
	e.key("status").int(int64(j.Status))
}

func (j jobView) middle(e *encoder) {
	e.key("send_tweet").flag(j.Tweet)
	e.key("hourseats").int(j.Limit.Count)
	e.key("hourlock").flag(j.locked)
	e.key("limitfreqseconds").int(int64(j.Limit.Period.Seconds()))
}

// appView is a copy of an application and what was handed in.
type appView struct {
	Application
	handed Handed
	// site is where screenshots are shown.
	site string
}

// encode is the shape of GET /application/{id}.
func (a appView) encode(e *encoder) {
	e.open('{')
	a.head(e)
	e.key("affect_success_rate").int(0)
	a.shots(e)
	e.close('}')
}

// appList is the shape of GET /job/{id}/applications/{status}/{page}.
type appList []appView

func (l appList) encode(e *encoder) {
	e.list(len(l), func(i int) {
		e.open('{')
		l[i].head(e)
		l[i].shots(e)
		e.close('}')
	})
}

func (a appView) head(e *encoder) {
	e.key("id").int(a.ID)
	e.key("jobid").int(a.JobID)
	e.key("user_id").int(a.UserID)
	e.key("owner_id").int(ownerID)
	e.key("email").str("worker" + strconv.FormatInt(a.UserID, 10) + "@example.test")
	e.key("proof").str(a.handed.Text)
	e.key("status").int(int64(a.Status))
	e.key("showcause").strOrNull(a.Reason)
	if len(a.handed.Screenshots) == 0 {
		e.key("screenshot").null()
	} else {
		e.key("screenshot").str(`["` + strings.Join(a.handed.Screenshots, `","`) + `"]`)
	}
	e.key("appdate").unix(a.At)
}

func (a appView) shots(e *encoder) {
	e.key("screenshot_url")
	if len(a.handed.Screenshots) == 0 {
		e.null()
		return
	}
	e.open('[')
	for _, name := range a.handed.Screenshots {
		e.str(a.site + uploads + name)
	}
	e.close(']')
}
