package memory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// stream is a log of entries, each with an id that grows.
type stream struct {
	entries []entry
	last    streamID
}

type entry struct {
	id     streamID
	fields []string
}

type streamID struct{ ms, seq int64 }

func (a streamID) compare(b streamID) int {
	switch {
	case a.ms < b.ms, a.ms == b.ms && a.seq < b.seq:
		return -1
	case a == b:
		return 0
	}
	return 1
}

func (a streamID) String() string { return fmt.Sprintf("%d-%d", a.ms, a.seq) }

func newStream() *stream { return &stream{} }

func (s *stream) clone() value { return &stream{entries: slices.Clone(s.entries), last: s.last} }
func (s *stream) empty() bool  { return false }

// xadd takes its id from the clock, and from the last one where the clock went
// back.
func (r *Redis) xadd(args []string) any {
	if args[1] != "*" || len(args)%2 != 0 {
		return errSyntax
	}
	s, err := write(r, args[0], newStream)
	if err != nil {
		return err
	}
	id := streamID{ms: r.now().UnixMilli()}
	if id.compare(s.last) <= 0 {
		id = streamID{ms: s.last.ms, seq: s.last.seq + 1}
	}
	s.last = id
	s.entries = append(s.entries, entry{id: id, fields: slices.Clone(args[2:])})
	return id.String()
}

func (r *Redis) xrange(args []string) any {
	from, err := streamBound(args[1], 0)
	if err != nil {
		return err
	}
	to, err := streamBound(args[2], 1<<62)
	if err != nil {
		return err
	}
	count := int64(-1)
	if len(args) == 5 && strings.EqualFold(args[3], "count") {
		if count, err = number(args[4]); err != nil {
			return err
		}
	} else if len(args) != 3 {
		return errSyntax
	}
	s, ok, err := read[*stream](r, args[0])
	if !ok {
		return orNone(err)
	}
	i, _ := slices.BinarySearchFunc(s.entries, from, func(e entry, id streamID) int { return e.id.compare(id) })
	out := []any{}
	for ; i < len(s.entries) && int64(len(out)) != count && s.entries[i].id.compare(to) <= 0; i++ {
		out = append(out, []any{s.entries[i].id.String(), rows(s.entries[i].fields)})
	}
	return out
}

// streamBound reads one end of a range of ids. An id without its second part
// is the first or the last of its millisecond, as missing tells.
func streamBound(s string, missing int64) (streamID, error) {
	switch s {
	case "-":
		return streamID{}, nil
	case "+":
		return streamID{ms: 1 << 62}, nil
	}
	s, open := strings.CutPrefix(s, "(")
	ms, seq, two := strings.Cut(s, "-")
	id := streamID{seq: missing}
	var err error
	if id.ms, err = strconv.ParseInt(ms, 10, 64); err == nil && two {
		id.seq, err = strconv.ParseInt(seq, 10, 64)
	}
	if err != nil {
		return id, Error("ERR Invalid stream ID specified as stream command argument")
	}
	if open && missing == 0 {
		id.seq++
	} else if open {
		id.seq--
	}
	return id, nil
}
