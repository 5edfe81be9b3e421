package api

import (
	"net/http"
	"strings"
)

// What is read of an answer at most, in bytes after decompression.
const (
	shortAnswer = 1 << 20
	longAnswer  = 16 << 20
)

// endpoint is one line of the marketplace's reference.
type endpoint struct {
	method string
	// route is the path with its variable segments in braces.
	route string
	// changes tells that a second request might do something twice.
	changes bool
	most    int64
}

func read(route string, most int64) endpoint {
	return endpoint{method: http.MethodGet, route: route, most: most}
}

func change(route string) endpoint {
	return endpoint{method: http.MethodPost, route: route, changes: true, most: shortAnswer}
}

// The whole API. A quote goes through createJob: a server that overlooks its
// get_cost creates the job. Deleting a team is Config.DeleteTeamPath.
var (
	getMe           = read("/me", shortAnswer)
	getJob          = read("/job/{id}", shortAnswer)
	getJobs         = read("/jobs/{status}/{page}", longAnswer)
	getCountries    = read("/countries", longAnswer)
	getCategories   = read("/categories", longAnswer)
	getTeams        = read("/teams", shortAnswer)
	createTeam      = change("/teams/create")
	updateTeam      = change("/teams/update")
	teamMembers     = endpoint{method: http.MethodPost, route: "/teams/members", most: shortAnswer}
	addMember       = change("/teams/add_member")
	deleteMember    = change("/teams/delete_member")
	createJob       = change("/jobs/create")
	updateJob       = change("/job/{id}/update")
	addSeats        = change("/job/{id}/add_seat")
	pauseJob        = change("/job/{id}/pause")
	resumeJob       = change("/job/{id}/resume")
	restartJob      = change("/job/{id}/restart")
	getApplications = read("/job/{id}/applications/{status}/{page}", longAnswer)
	getApplication  = read("/application/{id}", shortAnswer)
	setApplication  = change("/application/{id}/set")
)

// path fills the braces of the route, in order. The arguments are digits and
// words of this package, so that nothing needs escaping.
func (e endpoint) path(args []string) string {
	segments := strings.Split(e.route, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") && len(args) > 0 {
			segments[i], args = args[0], args[1:]
		}
	}
	return strings.Join(segments, "/")
}
