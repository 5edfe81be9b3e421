package sandbox

import "github.com/campaign-runner/campaign-runner/campaigns/money"

// The fees that reproduce the three costs of the reference: 12.5 % of the
// price and a cent for each seat, half a dollar for a tweet.
const (
	seatFee  = money.Dollar / 100
	tweetFee = money.Dollar / 2
)

// seatsCost is what seats cost without a tweet, rounded up to the micro-dollar.
func seatsCost(price money.USD, seats int64) (money.USD, error) {
	paid, err := price.Times(seats)
	if err != nil {
		return 0, err
	}
	withShare, err := paid.Share(9, 8)
	if err != nil {
		return 0, err
	}
	return withShare + seatFee*money.USD(seats), nil
}

// purchaseCost is what seats cost, with a tweet if wanted.
func purchaseCost(price money.USD, seats int64, tweet bool) (money.USD, error) {
	cost, err := seatsCost(price, seats)
	if tweet {
		cost += tweetFee
	}
	return cost, err
}

// refundFor is what unfilled seats bring back. It rounds down, so that a job
// never returns more than it took.
func refundFor(price money.USD, seats int64, keepFees bool) money.USD {
	bare := price * money.USD(seats)
	if keepFees {
		return bare
	}
	return bare*9/8 + seatFee*money.USD(seats)
}
