package campaigns

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type described struct {
	Description string
	Properties  map[string]described
	AnyOf       []described
	Items       *described
}

// TestSchemaHasTheKeysOfTheLoader keeps the two descriptions of the language
// together: the tables that Load reads by and the schema.
func TestSchemaHasTheKeysOfTheLoader(t *testing.T) {
	t.Parallel()
	var root struct {
		described
		Defs map[string]described `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	defs := root.Defs
	for what, tc := range map[string]struct {
		loader []string
		schema described
	}{
		"file":     {keys(fileFields), root.described},
		"defaults": {keys(defaultsFields), root.Properties["defaults"]},
		"campaign": {keys(campaignFields), defs["campaign"]},
		"job":      {keys(jobFields), defs["job"]},
		"budget":   {keys(budgetFields), defs["budget"]},
		"team":     {keys(teamFields), defs["team"]},
		"member":   {keys(memberFields), *defs["team"].Properties["members"].Items},
		"items":    {keys(itemsFields), defs["items"].AnyOf[1]},
		"action":   {keys(actionFields), defs["action"]},
		"after":    {keys(afterFields), defs["action"].Properties["after"]},
		"dst":      {keys(dstFields), defs["action"].Properties["dst"]},
		"rule":     {keys(ruleFields), defs["rule"]},
		"set":      {keys(updateFields), defs["set"]},
	} {
		var names []string
		for name := range tc.schema.Properties {
			names = append(names, name)
		}
		slices.Sort(names)
		slices.Sort(tc.loader)
		if diff := cmp.Diff(tc.loader, names); diff != "" {
			t.Errorf("keys of %s (-loader +schema):\n%s", what, diff)
		}
	}
}
