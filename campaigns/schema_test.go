package campaigns_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/campaign-runner/campaign-runner/campaigns"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(campaigns.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaAndLoadAgree holds that what loads is valid, and that the schema
// refuses just those bad files that say so in their first line.
func TestSchemaAndLoadAgree(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	for _, path := range slices.Concat(
		files(t, "../examples/*.yaml"), files(t, "testdata/good/*.yaml"), files(t, "testdata/warn/*.yaml")) {
		if _, err := campaigns.Load(path); err != nil {
			t.Errorf("Load: %v", err)
		}
		value, ok := decode(t, path)
		if err := schema.Validate(value); !ok || err != nil {
			t.Errorf("the schema refuses %s: %v", path, err)
		}
	}
	for _, path := range files(t, "testdata/bad/*.yaml") {
		_, refuses := firstLine(t, path)
		value, ok := decode(t, path)
		if !ok {
			continue
		}
		if err := schema.Validate(value); (err != nil) != refuses {
			t.Errorf("the schema refuses %s: %v, want %v", path, err, refuses)
		}
	}
}

// decode reads a file as an editor would, for the schema; false where it is no
// YAML at all.
func decode(t *testing.T, path string) (any, bool) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, false
	}
	return plainValue(doc.Content[0], 0), true
}

func plainValue(n *yaml.Node, depth int) any {
	if depth > 100 {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return plainValue(n.Alias, depth+1)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, e := range n.Content {
			list[i] = plainValue(e, depth+1)
		}
		return list
	case yaml.MappingNode:
		return plainMapping(n, depth)
	}
	return plainScalar(n)
}

func plainMapping(n *yaml.Node, depth int) any {
	m := make(map[string]any)
	merge := make(map[string]any)
	for i := 0; i < len(n.Content); i += 2 {
		value := plainValue(n.Content[i+1], depth+1)
		if merged, ok := value.(map[string]any); ok && n.Content[i].Tag == "!!merge" {
			merge = merged
			continue
		}
		m[n.Content[i].Value] = value
	}
	for key, value := range merge {
		if _, own := m[key]; !own {
			m[key] = value
		}
	}
	return m
}

func plainScalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int":
		if v, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return v
		}
	case "!!float":
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return v
		}
	}
	return n.Value
}

func ExampleSchema() {
	fmt.Println(bytes.Contains(campaigns.Schema(), []byte(`"https://json-schema.org/draft/2020-12/schema"`)))
	// Output: true
}
