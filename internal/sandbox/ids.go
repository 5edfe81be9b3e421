package sandbox

import "slices"

// ids is a sorted list of ids. Finding takes a binary search and a page is a
// slice of it, so a list never costs more than its page.
type ids []int64

// add puts id in its place; the largest yet is the common case and the cheap one.
func (l *ids) add(id int64) {
	if n := len(*l); n == 0 || (*l)[n-1] < id {
		*l = append(*l, id)
		return
	}
	if i, found := slices.BinarySearch(*l, id); !found {
		*l = slices.Insert(*l, i, id)
	}
}

// remove moves the shorter side, since work is taken from either end.
func (l *ids) remove(id int64) {
	rows := *l
	i, found := slices.BinarySearch(rows, id)
	switch {
	case !found:
	case i < len(rows)/2:
		copy(rows[1:i+1], rows[:i])
		*l = rows[1:]
	default:
		*l = slices.Delete(rows, i, i+1)
	}
}

// page is the n-th page, counted from 1, in the order wanted. Past the end it
// is empty.
func (l ids) page(n, size int, order Order) []int64 {
	if n < 1 {
		n = 1
	}
	if n > len(l)/size+1 {
		return nil
	}
	from := min((n-1)*size, len(l))
	to := min(from+size, len(l))
	if order == OldestFirst {
		return slices.Clone(l[from:to])
	}
	rows := slices.Clone(l[len(l)-to : len(l)-from])
	slices.Reverse(rows)
	return rows
}
