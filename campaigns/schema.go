package campaigns

import (
	"bytes"
	_ "embed"
)

//go:generate sh -c "go run ./internal/schemagen > schema.json.new && mv schema.json.new schema.json"

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of spec files, for editors and
// other programs. It knows the form of a spec; what only shows when keys are
// compared, times computed or templates tried is found by Load alone.
func Schema() []byte { return bytes.Clone(schema) }
