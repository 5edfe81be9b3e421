package watcher

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/campaign-runner/campaign-runner/internal/api"
	"github.com/campaign-runner/campaign-runner/internal/journal"
)

// normal is a proof without what tells equal answers apart by accident.
func normal(proof string) string { return strings.ToLower(strings.Join(strings.Fields(proof), " ")) }

// digest stands for a normalised proof; "" for one without text.
func digest(proof string) string {
	text := normal(proof)
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

func answerOf(a api.Application) journal.Answer {
	return journal.Answer{
		Application: a.ID, Status: int(a.Status), Worker: a.UserID, HandedIn: a.AppliedAt, Proof: digest(a.Proof),
	}
}

// crowd is what all answers of a campaign say of each other. Its zero value
// knows no other answers.
type crowd struct {
	// proofs holds the answers of each digest, oldest first once sorted.
	proofs map[string][]journal.Answer
	sorted bool
	// inItem counts the digests of an item, answers all that have text.
	inItem  map[string]map[string]int
	answers map[string]int
	// verdicts counts those of each worker by status.
	verdicts map[int64]map[int]int
}

func newCrowd() *crowd {
	return &crowd{
		proofs: map[string][]journal.Answer{}, inItem: map[string]map[string]int{}, answers: map[string]int{},
		verdicts: map[int64]map[int]int{},
	}
}

func (c *crowd) add(item string, a journal.Answer) {
	if c.verdicts[a.Worker] == nil {
		c.verdicts[a.Worker] = map[int]int{}
	}
	c.verdicts[a.Worker][a.Status]++
	if a.Proof == "" {
		return
	}
	c.proofs[a.Proof] = append(c.proofs[a.Proof], a)
	if c.inItem[item] == nil {
		c.inItem[item] = map[string]int{}
	}
	c.inItem[item][a.Proof]++
	c.answers[item]++
}

// sort puts equal proofs in the order in which they were handed in.
func (c *crowd) sort() {
	for _, same := range c.proofs {
		slices.SortFunc(same, func(a, b journal.Answer) int {
			return cmp.Or(a.HandedIn.Compare(b.HandedIn), cmp.Compare(a.Application, b.Application))
		})
	}
	c.sorted = true
}

// duplicates counts the answers that hold the same proof, and those of them
// that were handed in before.
func (c *crowd) duplicates(a journal.Answer) (all, earlier int) {
	if !c.sorted {
		c.sort()
	}
	same := c.proofs[a.Proof]
	i := slices.IndexFunc(same, func(o journal.Answer) bool { return o.Application == a.Application })
	return max(1, len(same)), max(0, i)
}

// agreement is the share of the item's answers that are this one.
func (c *crowd) agreement(item string, a journal.Answer) float64 {
	if a.Proof == "" || c.answers[item] == 0 {
		return 0
	}
	return float64(c.inItem[item][a.Proof]) / float64(c.answers[item])
}

// record counts a worker's other applications of a status.
func (c *crowd) record(a journal.Answer, status int) int {
	n := c.verdicts[a.Worker][status]
	if a.Status == status {
		n--
	}
	return max(0, n)
}
