package sandbox

import "github.com/campaign-runner/campaign-runner/campaigns/money"

type category struct {
	id    int64
	title string
	// cost is the least that a seat may pay.
	cost   money.USD
	slug   string
	subcat []category
}

type country struct {
	id        int64
	name      string
	code      string
	continent string
}

// cents keeps the tables below short.
func cents(n int64) money.USD { return money.Dollar / 100 * money.USD(n) }

var categories = []category{
	{9, "Blog / Website owners", cents(10), "blog-website-owners", []category{
		{47, "Banner And Text Link to Website", cents(80),
			"blog-website-owners/banner-and-text-link-to-website", nil},
		{45, "Text Link to Website And Review Up to 50 Words", cents(30),
			"blog-website-owners/text-link-to-website-and-review-up-to-50-words", nil},
	}},
	{2, "Social media", cents(2), "social-media", []category{
		{13, "Follow, Like or Share", cents(2), "social-media/follow-like-or-share", nil},
		{112, "Get Followers (automated)", cents(2), "social-media/get-followers", nil},
		{114, "Like a Post (automated)", cents(2), "social-media/like-a-post", nil},
	}},
	{200, "Surveys", cents(2), "surveys", []category{
		{201, "Labelling", cents(2), "surveys/labelling", nil},
		{202, "Questionnaires", cents(5), "surveys/questionnaires", nil},
	}},
	{210, "Testing", cents(5), "testing", []category{
		{211, "Usability", cents(10), "testing/usability", nil},
		{97, "Apps", cents(10), "testing/apps", nil},
	}},
	{220, "Data", cents(3), "data", []category{
		{221, "Transcription", cents(3), "data/transcription", nil},
		{222, "Search And Find", cents(4), "data/search-and-find", nil},
	}},
}

var countries = []country{
	{1269750, "India", "IN", "AS"},
	{1282028, "Maldives", "MV", "AS"},
	{1282988, "Nepal", "NP", "AS"},
	{1210997, "Bangladesh", "BD", "AS"},
	{3469034, "Brazil", "BR", "SA"},
	{6251999, "Canada", "CA", "NA"},
	{357994, "Egypt", "EG", "AF"},
	{3017382, "France", "FR", "EU"},
	{2921044, "Germany", "DE", "EU"},
	{1643084, "Indonesia", "ID", "AS"},
	{192950, "Kenya", "KE", "AF"},
	{3996063, "Mexico", "MX", "NA"},
	{2328926, "Nigeria", "NG", "AF"},
	{1168579, "Pakistan", "PK", "AS"},
	{1694008, "Philippines", "PH", "AS"},
	{2510769, "Spain", "ES", "EU"},
	{298795, "Türkiye", "TR", "AS"},
	{2635167, "United Kingdom", "GB", "EU"},
	{6252001, "United States", "US", "NA"},
	{1562822, "Vietnam", "VN", "AS"},
}

// minPrice is the least that a seat of a category may pay.
func minPrice(id int64) (money.USD, bool) { return minPriceIn(categories, id) }

func minPriceIn(list []category, id int64) (money.USD, bool) {
	for _, c := range list {
		if c.id == id {
			return c.cost, true
		}
		if cost, ok := minPriceIn(c.subcat, id); ok {
			return cost, true
		}
	}
	return 0, false
}

func knownCountry(id int64) bool {
	for _, c := range countries {
		if c.id == id {
			return true
		}
	}
	return false
}
