package sandbox

import (
	"strconv"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
)

func (m *market) getMe(*call) answer {
	return okay(accountView{m.balance, m.callbackURL})
}

func (m *market) getCountries(*call) answer  { return okay(countryList(countries)) }
func (m *market) getCategories(*call) answer { return okay(categoryList(categories)) }

type accountView struct {
	balance     money.USD
	callbackURL string
}

func (a accountView) encode(e *encoder) {
	e.open('{')
	e.key("id").int(ownerID)
	e.key("fullname").str("Sandbox Account")
	e.key("email").str("owner@example.test")
	e.key("gender").int(1)
	e.key("lang").str("en")
	e.key("birthdate").null()
	e.key("country").str("298795")
	e.key("address1").str("1 Example Street")
	e.key("address2").str("")
	e.key("city").str("745044")
	e.key("zip").null()
	e.key("state").str("745042")
	e.key("candoadultjobs").int(0)
	e.key("active").int(1)
	e.key("current_balance").number(sixPlaces(a.balance))
	e.key("referrer").int(0)
	e.key("submittask").int(0)
	e.key("phone_number").null()
	e.key("callback_url").strOrNull(a.callbackURL)
	e.close('}')
}

// sixPlaces writes an amount as the account's sample has it: 100.000000. A
// balance is never negative.
func sixPlaces(a money.USD) string {
	micros := strconv.FormatInt(int64(money.Dollar+a%money.Dollar), 10)
	return strconv.FormatInt(int64(a/money.Dollar), 10) + "." + micros[1:]
}

type countryList []country

func (l countryList) encode(e *encoder) {
	e.list(len(l), func(i int) {
		e.open('{')
		e.key("country_id").str(strconv.FormatInt(l[i].id, 10))
		e.key("name").str(l[i].name)
		e.key("code").str(l[i].code)
		e.key("continent").str(l[i].continent)
		e.key("nameTranslated").str(l[i].name)
		e.close('}')
	})
}

type categoryList []category

// encode writes an object whose keys count from 1 and are no ids.
func (l categoryList) encode(e *encoder) {
	if e.habits.CategoriesAsArray {
		e.list(len(l), func(i int) { l[i].encode(e, 0) })
		return
	}
	e.open('{')
	for i, c := range l {
		e.key(strconv.Itoa(i + 1))
		c.encode(e, 0)
	}
	e.close('}')
}

func (c category) encode(e *encoder, parent int64) {
	e.open('{')
	e.key("id").int(c.id)
	e.key("title").str(c.title)
	e.key("cost").usd(c.cost)
	e.key("slug").str(c.slug)
	e.key("text").str("")
	e.key("parent").int(parent)
	e.key("subcat").open('[')
	for _, child := range c.subcat {
		child.encode(e, c.id)
	}
	e.close(']')
	e.close('}')
}
