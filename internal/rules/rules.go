// Package rules compiles and runs the conditions by which applications are
// rated, such as
//
//	trim(proof) == "" || duplicates > 1
//	screenshots >= 1 && age > duration("1h")
//
// The language is expr-lang's. What a condition sees are the Facts of one
// application; it can neither change anything nor read a clock, and it has no
// loops, so that a run is short and gives the same answer each time.
package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/campaign-runner/campaign-runner/campaigns/span"
)

// MaxLength is how many bytes the text of a condition may have.
const MaxLength = 4096

// Facts is what a condition sees of one application. The tags are the names
// that a spec uses.
type Facts struct {
	// Proof is the text that the worker handed in.
	Proof string `expr:"proof"`
	// Screenshots is how many images came with it.
	Screenshots int `expr:"screenshots"`
	// Age is how long ago it was handed in.
	Age time.Duration `expr:"age"`
	// Worker is the worker's id.
	Worker int `expr:"worker"`
	// Duplicates is how many applications of the campaign hold the same proof,
	// this one included, upper and lower case and white space aside. A proof
	// without text has no duplicates: it counts 1.
	Duplicates int `expr:"duplicates"`
	// Earlier is how many of those were handed in before this one.
	Earlier int `expr:"earlier"`
	// WorkerApproved and WorkerDeclined count the worker's earlier
	// applications in the campaign.
	WorkerApproved int `expr:"worker_approved"`
	WorkerDeclined int `expr:"worker_declined"`
	// Agreement is the share, 0 to 1, of the item's answers that are the same
	// as this one, which counts too. Proofs without text are no answers, and
	// agree with none.
	Agreement float64 `expr:"agreement"`
	// Item holds the fields of the item that the job was made from.
	Item map[string]string `expr:"item"`
}

// functions are the built-in functions that a condition may call. They are
// those whose result is no longer than what they are given, so that no short
// condition can fill the memory.
var functions = []string{
	"trim", "trimPrefix", "trimSuffix", "lower", "upper", "len", "split", "indexOf",
	"lastIndexOf", "hasPrefix", "hasSuffix", "abs", "ceil", "floor", "round", "min",
	"max", "int", "float", "string",
}

// Rule is a compiled condition. It is safe for concurrent use.
type Rule struct {
	program *vm.Program
	fields  []string
	reads   map[string]bool
}

// Error is a fault in the text of a condition.
type Error struct {
	// Line and Column count from 1 within the condition's text.
	Line, Column int
	Message      string
}

// Error is the message with its column, and its line unless that is the first.
func (e *Error) Error() string {
	if e.Line > 1 {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
	}
	return fmt.Sprintf("column %d: %s", e.Column, e.Message)
}

// Compile reads a condition. What is wrong with it comes back as an *Error.
// Equal texts share one Rule.
func Compile(src string) (*Rule, error) {
	return compiled.get(src, compile)
}

func compile(src string) (*Rule, error) {
	if len(src) > MaxLength {
		return nil, &Error{1, 1, fmt.Sprintf("longer than %d bytes", MaxLength)}
	}
	var seen inspector
	options := []expr.Option{
		expr.Env(Facts{}),
		expr.AsBool(),
		expr.DisableAllBuiltins(),
		expr.Function("duration", duration, new(func(string) time.Duration)),
		expr.WarnOnAny(),
	}
	for _, name := range functions {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(src, options...)
	if err != nil {
		return nil, position(err)
	}
	node := program.Node()
	ast.Walk(&node, &seen)
	if seen.err != nil {
		return nil, position(seen.err.Bind(program.Source()))
	}
	return &Rule{program: program, fields: seen.fields, reads: seen.reads}, nil
}

// Match tells whether the condition holds. An error means that it could not be
// evaluated on these facts, as with text that is no number in int(proof).
func (r *Rule) Match(f Facts) (bool, error) {
	out, err := expr.Run(r.program, f)
	if err != nil {
		return false, position(err)
	}
	match, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("the condition gave %T, want true or false", out)
	}
	return match, nil
}

// Fields are the names of the item's fields that the condition reads, sorted.
func (r *Rule) Fields() []string { return r.fields }

// Reads tells whether the condition uses a variable, such as "duplicates".
func (r *Rule) Reads(variable string) bool { return r.reads[variable] }

// Always tells whether the condition holds whatever the facts are, as `true`
// does: no rule after it is ever reached.
func (r *Rule) Always() bool {
	holds, err := r.Match(Facts{})
	return r.constant() && err == nil && holds
}

// Never tells whether the condition holds for no facts, as `false` does.
func (r *Rule) Never() bool {
	holds, err := r.Match(Facts{})
	return r.constant() && err == nil && !holds
}

// constant tells a condition that reads nothing of an application. The one
// function of our own is a name too.
func (r *Rule) constant() bool {
	return len(r.reads) == 0 || len(r.reads) == 1 && r.reads["duration"]
}

func duration(params ...any) (any, error) {
	text, ok := params[0].(string)
	if !ok {
		return nil, fmt.Errorf("duration(%v) wants a text such as \"1h\"", params[0])
	}
	return span.Parse(text)
}

// position turns an error of the library into one with a place and without
// its drawing of the source.
func position(err error) error {
	var at *file.Error
	if !errors.As(err, &at) {
		return &Error{1, 1, err.Error()}
	}
	return &Error{max(at.Line, 1), at.Column + 1, hint(at.Message)}
}

// hint adds the names there are to a complaint about one that there is not.
func hint(message string) string {
	if !strings.HasPrefix(message, "unknown name") {
		return message
	}
	return message + "; there are proof, screenshots, age, worker, duplicates, earlier, " +
		"worker_approved, worker_declined, agreement and item, and the functions " +
		"duration, " + strings.Join(functions, ", ")
}

// inspector looks for what the compiler lets pass: loops, which nest without
// end; variables, by which a text can be doubled over and over; and constants
// that can only fail when run.
type inspector struct {
	fields []string
	reads  map[string]bool
	err    *file.Error
}

// Visit implements ast.Visitor.
func (i *inspector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if i.reads == nil {
			i.reads = map[string]bool{}
		}
		i.reads[n.Value] = true
	case *ast.VariableDeclaratorNode:
		i.fail(n, "variables are not supported: write the value where it is used")
	case *ast.PredicateNode:
		i.fail(n, "loops such as all and any are not supported")
	case *ast.CallNode:
		i.call(n)
	case *ast.MemberNode:
		i.member(n)
	}
}

func (i *inspector) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value != "duration" || len(n.Arguments) != 1 {
		return
	}
	if text, ok := n.Arguments[0].(*ast.StringNode); ok {
		if _, err := span.Parse(text.Value); err != nil {
			i.fail(n, err.Error())
		}
	}
}

func (i *inspector) member(n *ast.MemberNode) {
	of, ok := n.Node.(*ast.IdentifierNode)
	name, isText := n.Property.(*ast.StringNode)
	if !ok || !isText || of.Value != "item" {
		return
	}
	if at, found := slices.BinarySearch(i.fields, name.Value); !found {
		i.fields = slices.Insert(i.fields, at, name.Value)
	}
}

func (i *inspector) fail(n ast.Node, message string) {
	if i.err == nil {
		i.err = &file.Error{Location: n.Location(), Message: message}
	}
}
