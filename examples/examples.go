// Package examples holds the specs that the demonstration and the tests run.
package examples

import "embed"

// Files holds campaigns.yaml and the rows that it refers to.
//
//go:embed campaigns.yaml cities.csv
var Files embed.FS

// Spec is the name of the example in Files.
const Spec = "campaigns.yaml"
