package output

// Ask opens the question of Confirm to tests, which have no terminal.
var Ask = ask

// NoSteering is r, or a letter in place of one that steers a terminal.
func NoSteering(r rune) rune {
	if steers(r) {
		return 'x'
	}
	return r
}
