package campaigns

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

var budgetFields = []field[Budget]{
	{"cap", func(d *decoder, b *Budget, n *yaml.Node) { b.Cap = d.amount(n, smallest) }},
	{"pause_at", skip[Budget]},
	{"per", func(d *decoder, b *Budget, n *yaml.Node) {
		b.Per = enum(d, n, PerTotal, PerMonth, PerWeek, PerDay)
	}},
	{"measure", func(d *decoder, b *Budget, n *yaml.Node) {
		b.Measure = enum(d, n, MeasureCommitted, MeasureConsumed)
	}},
	{"resume", func(d *decoder, b *Budget, n *yaml.Node) {
		b.Resume = enum(d, n, ResumeManual, ResumeWindow)
	}},
	{"timezone", skip[Budget]},
}

func (d *decoder) budget(n *yaml.Node, zone string) *Budget {
	m, ok := d.mapping(n, "budget")
	if !ok {
		return nil
	}
	b := Budget{Per: PerTotal, Measure: MeasureCommitted, Resume: ResumeManual}
	b.Timezone = d.zone(m, zone)
	fill(d, m, "the budget", budgetFields, &b)
	d.require(n, m, "the budget", "cap")
	if v := m.get("pause_at"); v != nil {
		d.key = "pause_at"
		b.PauseAt = d.threshold(v, b.Cap)
	} else {
		for _, key := range []string{"measure", "resume"} {
			if m.has(key) {
				d.warn(m.key(key), "%s has no effect without pause_at", key)
			}
		}
	}
	if b.Resume == ResumeWindow && b.Per == PerTotal {
		d.at(m.key("resume"), "resume: window needs per: month, week or day, since a total has no next window")
	}
	return &b
}

// threshold is an amount or a percentage of the cap, rounded up to a whole
// micro-dollar.
func (d *decoder) threshold(n *yaml.Node, limit money.USD) money.USD {
	s, ok := d.scalar(n)
	if !ok {
		return 0
	}
	percent, isPercent := strings.CutSuffix(s, "%")
	if !isPercent {
		v := d.amount(n, smallest)
		if limit != 0 && v > limit {
			d.at(n, "pause_at: %s is more than the cap of %s", v, limit)
		}
		return v
	}
	share, err := money.Parse(percent)
	if err != nil || leadingZero(percent) || share <= 0 || share > 100*money.Dollar {
		d.at(n, "pause_at: %q is not a percentage above 0 and up to 100, such as 80%%", clip(s))
		return 0
	}
	v, err := limit.Share(int64(share), int64(100*money.Dollar))
	if err != nil {
		d.at(n, "pause_at: %v", err)
	}
	return v
}
