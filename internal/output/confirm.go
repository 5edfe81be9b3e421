package output

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNoTerminal says that there is nobody to ask.
var ErrNoTerminal = errors.New("there is no terminal to ask on: add --yes to agree beforehand")

// Confirm asks on out and reads the answer from in, which must be a terminal.
// "y" and "yes" agree; whatever else, the end of the input included, does not.
// When ctx ends first its error is returned; in must not be read afterwards.
func Confirm(ctx context.Context, in io.Reader, out io.Writer, prompt string) (bool, error) {
	if !IsTerminal(in) {
		return false, ErrNoTerminal
	}
	return ask(ctx, in, out, prompt)
}

func ask(ctx context.Context, in io.Reader, out io.Writer, prompt string) (bool, error) {
	if _, err := fmt.Fprintf(out, "%s [y/N] ", prompt); err != nil {
		return false, err
	}
	type reply struct {
		text string
		err  error
	}
	replies := make(chan reply, 1)
	go func() {
		text, err := bufio.NewReader(in).ReadString('\n')
		replies <- reply{text, err}
	}()
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(out)
		return false, ctx.Err()
	case r := <-replies:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return false, r.err
		}
		answer := strings.ToLower(strings.TrimSpace(r.text))
		return answer == "y" || answer == "yes", nil
	}
}
