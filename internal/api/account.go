package api

import (
	"context"
	"encoding/json"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

// Account is the owner of the key. Country, City and State are GeoNames ids,
// as the marketplace keeps them.
type Account struct {
	ID        int64
	FullName  string
	Email     string
	Gender    int
	Lang      string
	Birthdate string
	Country   string
	Address1  string
	Address2  string
	City      string
	Zip       string
	State     string
	// AdultJobs tells whether the account may do adult jobs.
	AdultJobs bool
	Active    bool
	// Balance is what can be spent, in USD.
	Balance     money.USD
	Referrer    int64
	SubmitTask  int
	PhoneNumber string
	// CallbackURL is where the marketplace sends events; "" sends none. It can
	// be set on the marketplace's site only.
	CallbackURL string
	// Raw is the answer in the API's own names and true types; nil in a value
	// made by hand. MarshalJSON writes it.
	Raw json.RawMessage
}

func (a *Account) fields() []field {
	return []field{
		{"id", (*whole)(&a.ID), required},
		{"fullname", (*text)(&a.FullName), optional},
		{"email", (*text)(&a.Email), optional},
		{"gender", (*count)(&a.Gender), optional},
		{"lang", (*text)(&a.Lang), optional},
		{"birthdate", (*text)(&a.Birthdate), optional},
		{"country", (*text)(&a.Country), optional},
		{"address1", (*text)(&a.Address1), optional},
		{"address2", (*text)(&a.Address2), optional},
		{"city", (*text)(&a.City), optional},
		{"zip", (*text)(&a.Zip), optional},
		{"state", (*text)(&a.State), optional},
		{"candoadultjobs", (*flag)(&a.AdultJobs), optional},
		{"active", (*flag)(&a.Active), optional},
		{"current_balance", (*dollars)(&a.Balance), required},
		{"referrer", (*whole)(&a.Referrer), optional},
		{"submittask", (*count)(&a.SubmitTask), optional},
		{"phone_number", (*text)(&a.PhoneNumber), optional},
		{"callback_url", (*text)(&a.CallbackURL), optional},
	}
}

func (a *Account) keep(raw json.RawMessage) { a.Raw = raw }

// MarshalJSON writes the API's own field names with true types.
func (a Account) MarshalJSON() ([]byte, error) { return writeRecord(a.Raw, a.fields()) }

// UnmarshalJSON reads what MarshalJSON writes, and whatever the API may answer.
func (a *Account) UnmarshalJSON(b []byte) error {
	*a = Account{}
	return unmarshalRecord(b, a)
}

// Me reads the account of the key.
func (c *Client) Me(ctx context.Context) (Account, error) {
	var account Account
	err := c.call(ctx, getMe, nil, nil, func(v any) (err error) {
		account, err = readOne(v, "user", func(a *Account) int64 { return a.ID }, 0)
		return err
	})
	return account, err
}
