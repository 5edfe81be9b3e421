package rules

import "fmt"

// Unreachable tells which conditions of a list can never decide, by their place
// from 0, and why: the first that fits decides, so what stands after one that
// always holds, or repeats an earlier one, is never asked. Conditions that do
// not compile are passed over.
func Unreachable(conditions []string) map[int]string {
	out := map[int]string{}
	seen := map[*Rule]int{}
	always := -1
	for i, src := range conditions {
		rule, err := Compile(src)
		if err != nil {
			continue
		}
		same, twice := seen[rule]
		switch {
		case always >= 0:
			out[i] = fmt.Sprintf("is never reached: rule %d always holds", always+1)
		case twice:
			out[i] = fmt.Sprintf("is never reached: rule %d has the same condition", same+1)
		case rule.Never():
			out[i] = "never holds"
		case rule.Always():
			always = i
		}
		if !twice {
			seen[rule] = i
		}
	}
	return out
}
