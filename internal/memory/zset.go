package memory

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// zset is a sorted set: its members by score, and among equals by name.
type zset struct {
	scores map[string]float64
	order  []scored
}

type scored struct {
	score  float64
	member string
}

func (a scored) compare(b scored) int {
	switch {
	case a.score < b.score:
		return -1
	case a.score > b.score:
		return 1
	}
	return strings.Compare(a.member, b.member)
}

func newZset() *zset { return &zset{scores: map[string]float64{}} }

func (z *zset) clone() value {
	out := &zset{scores: make(map[string]float64, len(z.scores)), order: slices.Clone(z.order)}
	for k, v := range z.scores {
		out.scores[k] = v
	}
	return out
}
func (z *zset) empty() bool { return len(z.order) == 0 }

func (z *zset) remove(member string) bool {
	score, ok := z.scores[member]
	if !ok {
		return false
	}
	delete(z.scores, member)
	i, _ := slices.BinarySearchFunc(z.order, scored{score, member}, scored.compare)
	z.order = slices.Delete(z.order, i, i+1)
	return true
}

func (z *zset) put(member string, score float64) bool {
	was, had := z.scores[member]
	if had && was == score {
		return false
	}
	z.remove(member)
	z.scores[member] = score
	at := scored{score, member}
	i, _ := slices.BinarySearchFunc(z.order, at, scored.compare)
	z.order = slices.Insert(z.order, i, at)
	return !had
}

func score(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) {
		return 0, errNotFloat
	}
	return f, nil
}

// scoreText writes a score as Redis 7.0 does, with 17 digits.
func scoreText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'g', 17, 64)
}

func (r *Redis) zadd(args []string) any {
	if len(args)%2 == 0 {
		return errSyntax
	}
	scores := make([]float64, 0, len(args)/2)
	for i := 1; i < len(args); i += 2 {
		f, err := score(args[i])
		if err != nil {
			return err
		}
		scores = append(scores, f)
	}
	z, err := write(r, args[0], newZset)
	if err != nil {
		return err
	}
	n := int64(0)
	for i, f := range scores {
		if z.put(args[2+2*i], f) {
			n++
		}
	}
	return n
}

func (r *Redis) zrem(args []string) any {
	if _, ok, err := read[*zset](r, args[0]); !ok {
		return orZero(err)
	}
	z, err := write(r, args[0], newZset)
	if err != nil {
		return err
	}
	n := int64(0)
	for _, m := range args[1:] {
		if z.remove(m) {
			n++
		}
	}
	r.tidy(args[0], z)
	return n
}

func (r *Redis) zscore(args []string) any {
	z, ok, err := read[*zset](r, args[0])
	if !ok {
		return orNil(err)
	}
	if f, ok := z.scores[args[1]]; ok {
		return scoreText(f)
	}
	return nil
}

func (r *Redis) zmscore(args []string) any {
	z, ok, err := read[*zset](r, args[0])
	if err != nil {
		return err
	}
	out := make([]any, len(args)-1)
	for i, m := range args[1:] {
		if !ok {
			continue
		}
		if f, ok := z.scores[m]; ok {
			out[i] = scoreText(f)
		}
	}
	return out
}

func (r *Redis) zrange(args []string) any    { return r.byRank(args, false) }
func (r *Redis) zrevrange(args []string) any { return r.byRank(args, true) }

func (r *Redis) byRank(args []string, backwards bool) any {
	from, to, err := ends(args[1], args[2])
	if err != nil {
		return err
	}
	withScores := len(args) == 4 && strings.EqualFold(args[3], "withscores")
	if len(args) > 3 && !withScores {
		return errSyntax
	}
	z, ok, err := read[*zset](r, args[0])
	if !ok {
		return orNone(err)
	}
	var out []scored
	for i := range within(from, to, len(z.order)) {
		if backwards {
			i = len(z.order) - 1 - i
		}
		out = append(out, z.order[i])
	}
	return scoredRows(out, withScores)
}

// zremrangebyrank removes what zrange lists.
func (r *Redis) zremrangebyrank(args []string) any {
	rows := r.byRank(args, false)
	list, ok := rows.([]any)
	if !ok || len(list) == 0 {
		return orZeroRows(rows)
	}
	members := []string{args[0]}
	for _, m := range list {
		if name, ok := m.(string); ok {
			members = append(members, name)
		}
	}
	return r.zrem(members)
}

// orZeroRows is an error, or 0 for no rows.
func orZeroRows(rows any) any {
	if err, failed := rows.(error); failed {
		return err
	}
	return int64(0)
}

// ends reads a range of ranks.
func ends(from, to string) (int64, int64, error) {
	a, err := number(from)
	if err != nil {
		return 0, 0, err
	}
	b, err := number(to)
	return a, b, err
}

// within goes through the ranks of a range; those below zero count from the end.
func within(from, to int64, size int) iter.Seq[int] {
	if from < 0 {
		from = max(0, from+int64(size))
	}
	if to < 0 {
		to += int64(size)
	}
	return func(yield func(int) bool) {
		for i := from; i <= to && i < int64(size); i++ {
			if !yield(int(i)) {
				return
			}
		}
	}
}

// orNone is the list of what is in a key that holds nothing.
func orNone(err error) any {
	if err != nil {
		return err
	}
	return []any{}
}

func scoredRows(list []scored, withScores bool) any {
	out := make([]any, 0, len(list))
	for _, s := range list {
		out = append(out, s.member)
		if withScores {
			out = append(out, scoreText(s.score))
		}
	}
	return out
}

// bound reads one end of a range of scores; open tells that it is left out.
func bound(s string) (f float64, open bool, err error) {
	s, open = strings.CutPrefix(s, "(")
	f, err = score(s)
	if err != nil {
		return 0, false, Error("ERR min or max is not a float")
	}
	return f, open, nil
}

func (r *Redis) zcard(args []string) any {
	z, ok, err := read[*zset](r, args[0])
	if err != nil {
		return err
	}
	if !ok {
		return int64(0)
	}
	return int64(len(z.order))
}

// zcount counts what zrangebyscore lists.
func (r *Redis) zcount(args []string) any {
	rows := r.zrangebyscore(args)
	if list, ok := rows.([]any); ok {
		return int64(len(list))
	}
	return rows
}

func (r *Redis) zrangebyscore(args []string) any {
	least, leastOpen, err := bound(args[1])
	if err != nil {
		return err
	}
	most, mostOpen, err := bound(args[2])
	if err != nil {
		return err
	}
	skip, count, withScores := int64(0), int64(-1), false
	for i := 3; i < len(args); i++ {
		switch {
		case strings.EqualFold(args[i], "withscores"):
			withScores = true
		case strings.EqualFold(args[i], "limit") && i+2 < len(args):
			if skip, err = number(args[i+1]); err != nil {
				return err
			}
			if count, err = number(args[i+2]); err != nil {
				return err
			}
			i += 2
		default:
			return errSyntax
		}
	}
	z, ok, err := read[*zset](r, args[0])
	if !ok {
		return orNone(err)
	}
	i, _ := slices.BinarySearchFunc(z.order, least, func(s scored, f float64) int {
		if s.score < f || (leastOpen && s.score == f) {
			return -1
		}
		return 1
	})
	i = min(len(z.order), i+int(max(0, skip)))
	end := i
	for end < len(z.order) && int64(end-i) != count && (z.order[end].score < most || (!mostOpen && z.order[end].score == most)) {
		end++
	}
	return scoredRows(z.order[i:end], withScores)
}
