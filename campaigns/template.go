package campaigns

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxRendered is how many bytes a template may grow to.
const maxRendered = maxScalar

// functions are all that templates can call.
var functions = template.FuncMap{
	"lower": strings.ToLower,
	"upper": strings.ToUpper,
	"trim":  strings.TrimSpace,
	"default": func(otherwise, value string) string {
		if value == "" {
			return otherwise
		}
		return value
	},
}

// textTemplate is a compiled template and the fields that it reads.
type textTemplate struct {
	*template.Template
	fields []string
	// nested allows .item.city beside .city.
	nested bool
}

// templates shares compiled templates between campaigns.
var templates memo[*textTemplate]

// isTemplate tells a template from plain text, which needs no compiling.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

// compileTemplate reads a template of the small kind that a spec may have:
// fields, conditions and the functions. There are no loops and no calls of
// other templates, so that rendering always ends.
func compileTemplate(text string) (*textTemplate, error) { return parseTemplate(text, false) }

func parseTemplate(text string, nested bool) (*textTemplate, error) {
	trees, err := parse.Parse("", text, "{{", "}}", functions)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "template: :"), "1: "))
	}
	if len(trees) != 1 {
		return nil, errors.New("a template cannot define others")
	}
	t := &textTemplate{nested: nested}
	if err := t.inspect(trees[""].Root); err != nil {
		return nil, err
	}
	t.Template, err = template.New("").Funcs(functions).Option("missingkey=error").AddParseTree("", trees[""])
	return t, err
}

// inspect refuses what a template may not hold and gathers its fields.
func (t *textTemplate) inspect(node parse.Node) error {
	switch n := node.(type) {
	case *parse.ListNode:
		return t.inspectAll(n)
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return t.inspectPipe(n.Pipe)
	case *parse.IfNode:
		if err := t.inspectPipe(n.Pipe); err != nil {
			return err
		}
		return errors.Join(t.inspectAll(n.List), t.inspectAll(n.ElseList))
	}
	return fmt.Errorf("%s is not supported: a template has fields, if and the functions %s",
		clip(node.String()), strings.Join(slices.Sorted(maps.Keys(functions)), ", "))
}

func (t *textTemplate) inspectAll(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := t.inspect(node); err != nil {
			return err
		}
	}
	return nil
}

func (t *textTemplate) inspectPipe(pipe *parse.PipeNode) error {
	if len(pipe.Decl) > 0 {
		return errors.New("a template cannot hold variables")
	}
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			if err := t.inspectArg(arg); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *textTemplate) inspectArg(arg parse.Node) error {
	switch n := arg.(type) {
	case *parse.FieldNode:
		if t.nested && len(n.Ident) == 2 && n.Ident[0] == "item" {
			t.fields = append(t.fields, "item."+n.Ident[1])
			return nil
		}
		if len(n.Ident) > 1 {
			return fmt.Errorf("%s: a field is a text and has no parts", n)
		}
		t.fields = append(t.fields, n.Ident[0])
	case *parse.PipeNode:
		return t.inspectPipe(n)
	case *parse.IdentifierNode, *parse.StringNode, *parse.BoolNode, *parse.NumberNode:
	default:
		return fmt.Errorf("%s is not supported: name a field, such as .city", clip(arg.String()))
	}
	return nil
}

// render fills the template with an item's fields.
func (t *textTemplate) render(fields map[string]string) (string, error) {
	for _, name := range t.fields {
		if _, ok := fields[name]; !ok {
			return "", errors.New(noField(name, fields))
		}
	}
	var out limitedBuilder
	if err := t.Execute(&out, fields); err != nil {
		return "", reason(err)
	}
	return out.String(), nil
}

// reason is the end of an error of text/template, which tells the template's
// name and place first.
func reason(err error) error {
	message := err.Error()
	if i := strings.LastIndex(message, ">: "); i >= 0 {
		message = message[i+len(">: "):]
	}
	return errors.New(message)
}

// noField says that a field is missing, and which there are.
func noField(name string, fields map[string]string) string {
	if len(fields) == 0 {
		return fmt.Sprintf("no field %q: the campaign's items have no fields", clip(name))
	}
	return fmt.Sprintf("no field %q%s", clip(name), didYouMean(name, slices.Sorted(maps.Keys(fields))))
}

// limitedBuilder is a strings.Builder that refuses to grow without end.
type limitedBuilder struct{ strings.Builder }

// Write implements io.Writer.
func (b *limitedBuilder) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("the text grows longer than %d KiB", maxRendered>>10)
	}
	return b.Builder.Write(p)
}

// expand renders a text if it is a template.
func expand(text string, fields map[string]string) (string, error) {
	if !isTemplate(text) {
		return text, nil
	}
	t, err := templates.get(text, compileTemplate)
	if err != nil {
		return "", err
	}
	return t.render(fields)
}
