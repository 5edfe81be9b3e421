package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kinds are all kinds, in the order in which help lists them.
var kinds = []Kind{
	DropBefore, DropAfter, ResetAfter, HangAfter, Late, Status500Before, Status500After,
	Status502After, Status503, Status429, Status401, HTMLAfter, TruncatedAfter, MalformedAfter,
	WrongJobID, CostMissing, CostString, Redirect301, Redirect302, Redirect307, Redirect308,
	Slow, Huge, GzipBomb, IgnoreGetCost,
}

// ParseFaults reads a fault plan: comma-separated faults, each a route or *, a
// colon, a kind, its argument in brackets if it takes one, and either =SHARE
// or @N for the route's n-th request:
//
//	create:drop_after=0.1,add_seats:late(90s)@3,*:429(2s)=0.02
//
// Empty text is no faults. The error quotes the fault and lists what is known.
func ParseFaults(text string) (Plan, error) {
	var plan Plan
	for _, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		f, err := parseFault(part)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", part, err)
		}
		plan = append(plan, f)
	}
	return plan, plan.check()
}

func parseFault(text string) (Fault, error) {
	var f Fault
	route, rest, found := strings.Cut(text, ":")
	if !found {
		return f, fmt.Errorf("write it as route:kind=share or route:kind@n, such as create:drop_after=0.1")
	}
	f.Route = route
	if f.Route != AnyRoute && !slices.Contains(routeNames(), f.Route) {
		return f, fmt.Errorf("there is no route %q; use * or one of %s",
			route, strings.Join(routeNames(), ", "))
	}
	rest, err := f.parseWhen(rest)
	if err != nil {
		return f, err
	}
	return f, f.parseKind(rest)
}

// parseWhen takes the share or number off the end.
func (f *Fault) parseWhen(text string) (string, error) {
	i := strings.LastIndexAny(text, "=@")
	if i < 0 {
		return "", fmt.Errorf("say how often: =0.1 for a share of the requests, @3 for the third")
	}
	kind, when := text[:i], text[i+1:]
	var err error
	if text[i] == '@' {
		if f.Nth, err = strconv.ParseUint(when, 10, 64); err != nil || f.Nth == 0 {
			return "", fmt.Errorf("%q is not the number of a request, counted from 1", when)
		}
		return kind, nil
	}
	if f.Share, err = strconv.ParseFloat(when, 64); err != nil || !(f.Share >= 0 && f.Share <= 1) {
		return "", fmt.Errorf("%q is not a share from 0 to 1", when)
	}
	return kind, nil
}

func (f *Fault) parseKind(text string) error {
	name, arg, hasArg := strings.Cut(text, "(")
	f.Kind = Kind(name)
	if !slices.Contains(kinds, f.Kind) {
		return fmt.Errorf("there is no kind %q; use one of %s", name, kindNames())
	}
	if f.Route != AnyRoute && !f.Kind.fits(f.Route) {
		return fmt.Errorf("%s cannot befall %s", f.Kind, f.Route)
	}
	if !hasArg {
		return nil
	}
	arg, closed := strings.CutSuffix(arg, ")")
	if !closed {
		return fmt.Errorf("close the bracket after %q", arg)
	}
	return f.parseArg(arg)
}

func (f *Fault) parseArg(arg string) error {
	switch f.Kind {
	case Late, Slow, Status429, Status503:
		d, err := time.ParseDuration(arg)
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a duration such as 90s", arg)
		}
		f.Delay = d
		return nil
	case Redirect301, Redirect302, Redirect307, Redirect308:
		u, err := url.Parse(arg)
		if err != nil || u.Host == "" {
			return fmt.Errorf("%q is not a URL such as http://127.0.0.1:9000/trap", arg)
		}
		f.To = arg
		return nil
	}
	return fmt.Errorf("%s takes no argument", f.Kind)
}

// check holds that the shares of a route leave none over.
func (p Plan) check() error {
	for _, route := range routeNames() {
		sum := 0.0
		for _, f := range p {
			if f.applies(route) {
				sum += f.Share
			}
		}
		if sum > 1+1e-9 {
			return fmt.Errorf("the shares of route %s add up to %.2f; at most 1 is possible", route, sum)
		}
	}
	return nil
}

func kindNames() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}
