package api

import (
	"context"
	"encoding/json"
)

// Country is one that a job can be limited to.
type Country struct {
	// ID is the GeoNames id (country_id).
	ID   int64
	Name string
	// Code is ISO 3166 alpha-2, "IN".
	Code string
	// Continent is a code of two letters, "AS".
	Continent      string
	NameTranslated string
	// Raw is the answer in the API's own names and true types; nil in a value
	// made by hand. MarshalJSON writes it.
	Raw json.RawMessage
}

func (c *Country) fields() []field {
	return []field{
		{"country_id", (*whole)(&c.ID), required},
		{"name", (*text)(&c.Name), optional},
		{"code", (*text)(&c.Code), optional},
		{"continent", (*text)(&c.Continent), optional},
		{"nameTranslated", (*text)(&c.NameTranslated), optional},
	}
}

func (c *Country) keep(raw json.RawMessage) { c.Raw = raw }

// MarshalJSON writes the API's own field names with true types.
func (c Country) MarshalJSON() ([]byte, error) { return writeRecord(c.Raw, c.fields()) }

// UnmarshalJSON reads what MarshalJSON writes, and whatever the API may answer.
func (c *Country) UnmarshalJSON(b []byte) error {
	*c = Country{}
	return unmarshalRecord(b, c)
}

// Countries reads the countries that jobs can be limited to.
func (c *Client) Countries(ctx context.Context) ([]Country, error) {
	var countries []Country
	err := c.call(ctx, getCountries, nil, nil, func(v any) (err error) {
		countries, err = readRows[Country](v, "countries")
		return err
	})
	return countries, err
}
