package api

import (
	"errors"
	"fmt"
	"iter"
)

// maxPages bounds a list whose pages never end.
const maxPages = 10_000

// pageOf reads a page of a list. A page past the last is empty; a marketplace that
// answers it with null, an object or a 404 is understood too, where it answers so
// to a page that is surely past the last. An error of any other kind stays one: an
// empty page is evidence.
func pageOf[T any](page int, fetch func(page int) ([]T, error)) ([]T, error) {
	list, err := fetch(page)
	var here, far *Error
	if page < 2 || page == maxPages || !errors.As(err, &here) || !errors.Is(here.Err, errNoList) && here.Reason != ReasonNotFound {
		return list, err
	}
	_, ferr := fetch(maxPages)
	if errors.As(ferr, &far) && far.Reason == here.Reason && far.Status == here.Status && far.Message == here.Message {
		return nil, nil
	}
	return nil, err
}

// everyPage yields the rows of all pages, each id once. A page without a new
// id is the end, be it empty or a repeat of what the server takes for its last.
func everyPage[T any](
	e endpoint, fetch func(page int) ([]T, error), id func(T) int64,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen := make(map[int64]struct{})
		for page := 1; page <= maxPages; page++ {
			list, err := fetch(page)
			if err != nil {
				yield(none, err)
				return
			}
			before := len(seen)
			for _, row := range list {
				if _, again := seen[id(row)]; again {
					continue
				}
				seen[id(row)] = struct{}{}
				if !yield(row, nil) {
					return
				}
			}
			if len(seen) == before {
				return
			}
		}
		yield(none, &Error{Method: e.method, Route: e.route, Reason: ReasonUnreadable,
			Message: fmt.Sprintf("the list does not end within %d pages", maxPages)})
	}
}
