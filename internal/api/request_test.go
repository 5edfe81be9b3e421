package api

import (
	"net/http"
	"testing"
)

// The transport sends a body again only if it can get it again.
func TestABodyCannotBeSentAgain(t *testing.T) {
	t.Parallel()
	key, err := NewKey("secret")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []endpoint{createJob, addSeats, teamMembers} {
		req, err := c.request(t.Context(), e, []string{"1"}, seatsBody{Seats: 1})
		if err != nil {
			t.Fatal(err)
		}
		if req.GetBody != nil || req.ContentLength <= 0 || req.Method != http.MethodPost {
			t.Errorf("%s can be sent again: length %d", e.route, req.ContentLength)
		}
	}
}

// Changes use their own connections, which do not rest long.
func TestChangesAndReadsShareNoConnection(t *testing.T) {
	t.Parallel()
	key, err := NewKey("secret")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []endpoint{createTeam, updateTeam, c.deleteTeam, addMember, deleteMember, createJob, updateJob,
		addSeats, pauseJob, resumeJob, restartJob, setApplication} {
		if c.roundTripper(e) != http.RoundTripper(c.signed.changes) {
			t.Errorf("%s goes with the reads", e.route)
		}
	}
	for _, e := range []endpoint{getMe, getJob, getJobs, getCountries, getCategories, getTeams, teamMembers,
		getApplications, getApplication} {
		if c.roundTripper(e) != http.RoundTripper(c.signed.reads) {
			t.Errorf("%s goes with the changes", e.route)
		}
	}
	if c.reads == c.changes || c.changes.IdleConnTimeout > c.reads.IdleConnTimeout {
		t.Errorf("changes rest for %s", c.changes.IdleConnTimeout)
	}
}
