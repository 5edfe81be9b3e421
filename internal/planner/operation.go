package planner

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

// Kind is what an operation does to the marketplace.
type Kind string

// The kinds of operations.
const (
	Create   Kind = "create"
	AddSeats Kind = "add_seats"
	Pause    Kind = "pause"
	Resume   Kind = "resume"
	Restart  Kind = "restart"
	Update   Kind = "update"
	Rate     Kind = "rate"
	TeamSync Kind = "team"
)

// Paying tells whether the kind buys seats, and so needs a reservation.
func (k Kind) Paying() bool {
	return k == Create || k == AddSeats || k == Resume
}

// MovesMoney tells whether the kind buys or refunds seats. Such operations on
// one job never overlap.
func (k Kind) MovesMoney() bool { return k.Paying() || k == Pause }

// State is where an operation stands. docs/states.md draws who moves it.
type State string

// The states of an operation.
const (
	Planned  State = "planned"
	Queued   State = "queued"
	Sending  State = "sending"
	Applied  State = "applied"
	Rejected State = "rejected"
	Unknown  State = "unknown"
	Parked   State = "parked"
	Skipped  State = "skipped"
	Canceled State = "canceled"
)

// Settled tells whether an operation in this state will never move by itself.
// A parked one waits for a person.
func (s State) Settled() bool {
	switch s {
	case Applied, Rejected, Skipped, Canceled, Parked:
		return true
	}
	return false
}

// States lists every state in the order of an operation's walk.
func States() []State {
	return []State{Planned, Queued, Sending, Applied, Rejected, Unknown, Parked, Skipped, Canceled}
}

// Operation is one action for one item or job in one slot. It says what to do
// by reference to the campaign's spec; what depends on the moment (a price, a
// rendered title) is found when it is executed.
type Operation struct {
	// ID is campaign/action/item/slot. The same ID never acts twice.
	ID       string `json:"id"`
	Campaign string `json:"campaign"`
	// Action is the spec's action id, or a word of the runner's own such as
	// ActionBudget.
	Action string `json:"action"`
	// Item is the key of the item that the job was made from.
	Item string    `json:"item"`
	Kind Kind      `json:"kind"`
	Slot time.Time `json:"slot"`
	// JobID is the job acted on; 0 in a create.
	JobID int64 `json:"job_id,omitempty"`
	// Seats is how many seats to buy; 0 where the kind buys none or UpTo is set.
	Seats int `json:"seats,omitempty"`
	// UpTo is the number of seats that add_seats fills up to.
	UpTo int `json:"up_to,omitempty"`
	// Rating is what to say of an application; nil in other kinds.
	Rating *Rating `json:"rating,omitempty"`
	// Team is the team to keep in step; nil in other kinds.
	Team *campaigns.Team `json:"team,omitempty"`
	// Manual is the request of a person by hand, whose parameters are in no
	// spec; nil in planned operations.
	Manual *Manual `json:"manual,omitempty"`
	// Because says why an operation that no spec asked for exists.
	Because string `json:"because,omitempty"`
}

// Rating is the decision on one application.
type Rating struct {
	ApplicationID int64             `json:"application_id"`
	Verdict       campaigns.Verdict `json:"verdict"`
	Reason        string            `json:"reason,omitempty"`
	// Proof is a digest of what the worker handed in: a decision on one proof
	// is never used for another.
	Proof string `json:"proof"`
	// Rule says which rule decided, or "decision" for a person's.
	Rule string `json:"rule,omitempty"`
	// HoldUntil is when a decline may go out, unless a person lets it go before.
	HoldUntil time.Time `json:"hold_until,omitzero"`
}

// Manual holds the parameters of a request by hand.
type Manual struct {
	Job    *campaigns.Job    `json:"job,omitempty"`
	Update *campaigns.Update `json:"update,omitempty"`
}

// ApplicationID is the application acted on, or 0.
func (o *Operation) ApplicationID() int64 {
	if o.Rating == nil {
		return 0
	}
	return o.Rating.ApplicationID
}

// Queue is the queue that carries an operation: what stops spending goes first.
func (o *Operation) Queue() Queue {
	switch o.Kind {
	case Pause:
		return QueueControl
	case Rate:
		return QueueRate
	}
	return QueueMoney
}

// Queue names one of the queues of tasks.
type Queue string

// The queues. Control is served by workers of its own, ahead of the others.
const (
	QueueControl Queue = "control"
	QueueMoney   Queue = "money"
	QueueRate    Queue = "rate"
	QueueWatch   Queue = "watch"
)

// Actions of the runner's own, which no spec can name: ids of a spec's actions
// hold no colon.
const (
	// ActionBudget pauses jobs because a budget reached its threshold.
	ActionBudget = "budget:pause"
	// ActionOperator is a person's pause or resume of a campaign.
	ActionOperator = "operator:pause"
	// ActionTeams keeps the file's teams in step.
	ActionTeams = "teams:sync"
	// ActionAudit pauses a job that was made twice.
	ActionAudit = "audit:pause"
	// ActionAdopt books such a job, or one that a question for a price made, as a
	// purchase by hand.
	ActionAdopt = "audit:adopt"
	// ActionDecision is a rating from a person's file.
	ActionDecision = "rate:decision"
)

// OfSpec tells a spec's action from one of the runner's own.
func OfSpec(action string) bool { return !strings.Contains(action, ":") }

// ManualCampaign owns the operations asked for by hand.
const ManualCampaign = "manual"

// slotLayout is the slot in an id: to the second, sortable, without a colon.
const slotLayout = "20060102T150405Z"

// NewID derives an operation's identity. item may be any text; it is escaped
// so that the id is one word on a command line and has exactly three slashes.
func NewID(campaign, action, item string, slot time.Time) string {
	return campaign + "/" + action + "/" + escape(item) + "/" + slot.UTC().Format(slotLayout)
}

// ActionOf is the action in an operation's identity, or "".
func ActionOf(id string) string {
	_, rest, _ := strings.Cut(id, "/")
	action, _, _ := strings.Cut(rest, "/")
	return action
}

// SlotOf is the slot in an operation's identity, and whether there is one.
func SlotOf(id string) (time.Time, bool) {
	t, err := time.Parse(slotLayout, id[strings.LastIndexByte(id, '/')+1:])
	return t, err == nil
}

// escape keeps letters, digits and a few harmless marks of an item's key and
// writes every other byte as %XX.
func escape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-._:@+", r) {
			b.WriteString(s[:size])
		} else {
			for i := range size {
				fmt.Fprintf(&b, "%%%02X", s[i])
			}
		}
		s = s[size:]
	}
	return b.String()
}

// jobItem tells apart the jobs of one item, of which a recurring create makes
// several.
func jobItem(item string, job int64) string {
	return fmt.Sprintf("%s@%d", item, job)
}

// crockford is base 32 without letters that are read as digits.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// MarkerPrefix begins the line that carries a marker.
const MarkerPrefix = "ref:"

const (
	slotDigits = 7  // seconds since the epoch: enough until the year 3058
	nameDigits = 10 // 50 bits of the rest of the identity
)

// Marker is the line by which a job is found again: it is derived from the
// identity of the create that made it, and tells its slot to whoever knows the
// spec, so that a lost journal can be written anew.
func Marker(campaign, action, item string, slot time.Time) string {
	return MarkerPrefix + encode32(uint64(slot.Unix()), slotDigits) + "-" + markerName(campaign, action, item)
}

// Marker is the marker of the job that a create makes.
func (o *Operation) Marker() string { return Marker(o.Campaign, o.Action, o.Item, o.Slot) }

// actionQuestion is the action in the marker of a question, which no spec can name.
const actionQuestion = "audit:quote"

// QuestionMarker is what a question for a price carries that is asked for no
// create: where the marketplace takes it for one, the job is found by it.
func QuestionMarker(asked time.Time) string { return Marker(ManualCampaign, actionQuestion, "", asked) }

// IsQuestion tells whether a marker is one of questions for a price.
func IsQuestion(marker string) bool {
	return MarkerName(marker) == markerName(ManualCampaign, actionQuestion, "")
}

// markerName is the part of a marker that tells campaign, action and item.
func markerName(campaign, action, item string) string {
	sum := sha256.Sum256([]byte(campaign + "\x00" + action + "\x00" + item))
	var n uint64
	for _, b := range sum[:8] {
		n = n<<8 | uint64(b)
	}
	return encode32(n>>(64-5*nameDigits), nameDigits)
}

func encode32(n uint64, digits int) string {
	out := make([]byte, digits)
	for i := digits - 1; i >= 0; i-- {
		out[i] = crockford[n&31]
		n >>= 5
	}
	return string(out)
}

// FindMarker returns the marker among a job's steps, or "". The marketplace
// may trim or pad lines, so it is looked for anywhere in a line.
func FindMarker(steps []string) string {
	for i := len(steps) - 1; i >= 0; i-- {
		_, rest, found := strings.Cut(steps[i], MarkerPrefix)
		if found && len(rest) >= markerLength && validMarker(rest[:markerLength]) {
			return MarkerPrefix + rest[:markerLength]
		}
	}
	return ""
}

const markerLength = slotDigits + 1 + nameDigits

func validMarker(s string) bool {
	for i := range len(s) {
		if i == slotDigits {
			if s[i] != '-' {
				return false
			}
			continue
		}
		if !strings.Contains(crockford, s[i:i+1]) {
			return false
		}
	}
	return true
}

// MarkerName is the part of a marker that tells campaign, action and item, and
// that all occurrences of a create share; "" for other text.
func MarkerName(marker string) string {
	if _, ok := MarkerSlot(marker); !ok {
		return ""
	}
	return marker[len(MarkerPrefix)+slotDigits+1:]
}

// MarkerSlot is the slot that a marker tells, or false for other text.
func MarkerSlot(marker string) (time.Time, bool) {
	code, found := strings.CutPrefix(marker, MarkerPrefix)
	if !found || len(code) != markerLength || !validMarker(code) {
		return time.Time{}, false
	}
	var n int64
	for i := range slotDigits {
		n = n<<5 | int64(strings.IndexByte(crockford, code[i]))
	}
	return time.Unix(n, 0).UTC(), true
}
