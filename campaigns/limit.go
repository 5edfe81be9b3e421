package campaigns

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseLimit reads "10/hour" or "10/day".
func ParseLimit(s string) (Limit, error) {
	count, per, _ := strings.Cut(s, "/")
	n, err := strconv.ParseUint(count, 10, 31)
	if err != nil || n == 0 || leadingZero(count) || per != "hour" && per != "day" {
		return Limit{}, fmt.Errorf("%q is not a limit such as 10/hour or 50/day", clip(s))
	}
	return Limit{Count: int(n), Per: per}, nil
}

// String writes the limit as ParseLimit reads it.
func (l Limit) String() string { return strconv.Itoa(l.Count) + "/" + l.Per }
