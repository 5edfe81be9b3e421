package api

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func collect(fetch func(int) ([]int64, error)) (ids []int64, pages int, err error) {
	counted := func(page int) ([]int64, error) {
		pages = page
		return fetch(page)
	}
	for id, e := range everyPage(getJobs, counted, func(id int64) int64 { return id }) {
		if e != nil {
			return ids, pages, e
		}
		ids = append(ids, id)
	}
	return ids, pages, nil
}

func TestPagesEnd(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		pages [][]int64 // the last repeats for ever
		want  []int64
		asked int
	}{
		{"at once, where there is nothing", [][]int64{{}}, nil, 1},
		{"at an empty page", [][]int64{{1, 2}, {3}, {}}, []int64{1, 2, 3}, 3},
		{"at a page that repeats", [][]int64{{1, 2}, {3}}, []int64{1, 2, 3}, 3},
		{"at a page of known rows", [][]int64{{1, 2}, {2, 1}}, []int64{1, 2}, 2},
		{"never at a page that overlaps", [][]int64{{1, 2}, {2, 3}, {3, 4}, {}}, []int64{1, 2, 3, 4}, 4},
		{"and a row that comes twice in a page is one", [][]int64{{1, 1, 2}, {}}, []int64{1, 2}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, asked, err := collect(func(page int) ([]int64, error) {
				return row.pages[min(page, len(row.pages))-1], nil
			})
			if diff := cmp.Diff(row.want, got); diff != "" || err != nil || asked != row.asked {
				t.Errorf("%d pages, want %d, error %v, (-want +got):\n%s", asked, row.asked, err, diff)
			}
		})
	}
}

func TestPagesThatNeverEndAreAnError(t *testing.T) {
	t.Parallel()
	ids, asked, err := collect(func(page int) ([]int64, error) { return []int64{int64(page)}, nil })
	if len(ids) != maxPages || asked != maxPages || ReasonOf(err) != ReasonUnreadable {
		t.Errorf("%d rows of %d pages, error %v", len(ids), asked, err)
	}
}

func TestAnErrorEndsThePagesAfterTheRowsBeforeIt(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	ids, _, err := collect(func(page int) ([]int64, error) {
		if page == 2 {
			return nil, broken
		}
		return []int64{1}, nil
	})
	if len(ids) != 1 || !errors.Is(err, broken) {
		t.Errorf("rows %v, error %v", ids, err)
	}
}

func TestALoopThatStopsAsksForNoFurtherPage(t *testing.T) {
	t.Parallel()
	asked := 0
	fetch := func(int) ([]int64, error) {
		asked++
		return []int64{1, 2, 3}, nil
	}
	for range everyPage(getJobs, fetch, func(id int64) int64 { return id }) {
		break
	}
	if asked != 1 {
		t.Errorf("%d pages asked for, want 1", asked)
	}
}
