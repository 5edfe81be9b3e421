package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Category is one row of the category tree.
type Category struct {
	ID    int64
	Title string
	// MinPrice is what a seat must pay at least, in USD (cost).
	MinPrice money.USD
	Slug     string
	Text     string
	// Parent is the id of the category above; 0 at the top.
	Parent int64
	// Path has the titles of the categories above, the outermost first.
	Path []string
	// Raw is the answer in the API's own names and true types, without the
	// categories below; nil in a value made by hand. MarshalJSON writes it.
	Raw json.RawMessage
}

func (c *Category) fields() []field {
	return []field{
		{"id", (*whole)(&c.ID), required},
		{"title", (*text)(&c.Title), optional},
		{"cost", (*dollars)(&c.MinPrice), required},
		{"slug", (*text)(&c.Slug), optional},
		{"text", (*text)(&c.Text), optional},
		{"parent", (*whole)(&c.Parent), optional},
	}
}

func (c *Category) keep(raw json.RawMessage) { c.Raw = raw }

// MarshalJSON writes the API's own field names with true types, without subcat.
func (c Category) MarshalJSON() ([]byte, error) { return writeRecord(c.Raw, c.fields()) }

// UnmarshalJSON reads what MarshalJSON writes. Path is not in it.
func (c *Category) UnmarshalJSON(b []byte) error {
	*c = Category{}
	return unmarshalRecord(b, c)
}

// Categories reads the category tree, flattened: each category comes before
// those below it.
func (c *Client) Categories(ctx context.Context) ([]Category, error) {
	var categories []Category
	err := c.call(ctx, getCategories, nil, nil, func(v any) (err error) {
		categories, err = readCategories(v)
		return err
	})
	return categories, err
}

func readCategories(v any) ([]Category, error) {
	list, err := rows(v, "categories")
	if err != nil {
		return nil, err
	}
	return flatten(make([]Category, 0, len(list)), list, nil)
}

// flatten goes no deeper than parse does.
func flatten(all []Category, list []any, path []string) ([]Category, error) {
	for i, item := range list {
		row, below := splitCategory(item)
		category := Category{Path: path}
		err := readRecord(row, &category)
		if err != nil {
			return nil, fmt.Errorf("row %d of %d below %q: %w", i+1, len(list), path, err)
		}
		all, err = flatten(append(all, category), below, append(slices.Clip(path), category.Title))
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// splitCategory parts a category from those below it, which are an array, an
// object with numeric keys, or nothing.
func splitCategory(v any) (row any, below []any) {
	o, ok := v.(*object)
	if !ok {
		return v, nil
	}
	isBelow := func(m member) bool { return m.name == "subcat" }
	if i := slices.IndexFunc(o.members, isBelow); i >= 0 {
		below, _ = items(o.members[i].value)
	}
	return &object{slices.DeleteFunc(slices.Clone(o.members), isBelow)}, below
}
