package campaigns

import (
	"fmt"
	"strings"
)

// DidYouMean is a hint at the candidate nearest to a misspelt word, such as
// `, did you mean "price"?`, or the list of a few candidates where none is
// near.
func DidYouMean(word string, candidates []string) string {
	const few = 10
	if hint := nearest(word, candidates); hint == "" && len(candidates) > few {
		return fmt.Sprintf("; there are %d others", len(candidates))
	}
	return didYouMean(word, candidates)
}

// didYouMean is a hint at the candidate nearest to a misspelt word, such as
// `, did you mean "price"?`, or the list of candidates where none is near.
func didYouMean(word string, candidates []string) string {
	if best := nearest(word, candidates); best != "" {
		return `, did you mean "` + best + `"?`
	}
	if len(candidates) == 0 {
		return ""
	}
	return "; there are: " + strings.Join(candidates, ", ")
}

// nearest is the candidate that a word was probably meant to be, or "".
func nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	best, least := "", 1+min(len(word), 12)/3
	for _, c := range candidates {
		if d := editDistance(word, c, least); d < least || d == least && best == "" {
			best, least = c, d
		}
	}
	return best
}

// editDistance is how many letters must be put in, taken out, changed or
// swapped with their neighbour to make b of a. Beyond limit it is limit+1.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
