package sandbox

import (
	"net/http"
	"strings"
)

// BasePath is where the marketplace's API begins.
const BasePath = "/api/v1"

// route is one endpoint of the reference. Its name is what fault plans and
// counters call it.
type route struct {
	name    string
	method  string
	pattern string
	do      func(*market, *call) answer
}

// quote is what a create is called that asks for its cost only.
const quote = "quote"

// routes are in the order of the reference.
var routes = []route{
	{"me", "GET", "/me", (*market).getMe},
	{"job", "GET", "/job/{id}", (*market).getJob},
	{"jobs", "GET", "/jobs/{status}/{page}", (*market).getJobs},
	{"countries", "GET", "/countries", (*market).getCountries},
	{"categories", "GET", "/categories", (*market).getCategories},
	{"teams", "GET", "/teams", (*market).getTeams},
	{"team_create", "POST", "/teams/create", (*market).createTeam},
	{"team_update", "POST", "/teams/update", (*market).updateTeam},
	{"team_delete", "POST", "/teams/delete", (*market).deleteTeam},
	{"members", "POST", "/teams/members", (*market).getMembers},
	{"member_add", "POST", "/teams/add_member", (*market).addMember},
	{"member_delete", "POST", "/teams/delete_member", (*market).deleteMember},
	{"create", "POST", "/jobs/create", (*market).createJob},
	{"update", "POST", "/job/{id}/update", (*market).updateJob},
	{"add_seats", "POST", "/job/{id}/add_seat", (*market).addSeats},
	{"pause", "POST", "/job/{id}/pause", (*market).pauseJob},
	{"resume", "POST", "/job/{id}/resume", (*market).resumeJob},
	{"restart", "POST", "/job/{id}/restart", (*market).restartJob},
	{"applications", "GET", "/job/{id}/applications/{status}/{page}", (*market).getApplications},
	{"application", "GET", "/application/{id}", (*market).getApplication},
	{"rate", "POST", "/application/{id}/set", (*market).rate},
}

// routeNames are the names that a fault plan may use.
func routeNames() []string {
	var names []string
	for _, r := range routes {
		names = append(names, r.name)
		if r.name == "create" {
			names = append(names, quote)
		}
	}
	return names
}

// newMux serves the marketplace's API.
func (s *Sandbox) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.method+" "+BasePath+r.pattern, func(w http.ResponseWriter, req *http.Request) {
			s.serve(w, req, r)
		})
	}
	unknown := route{name: "unknown", do: func(*market, *call) answer {
		return refuse(404, "The route could not be found.")
	}}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		if other, ok := otherMethod(mux, req); ok {
			s.serve(w, req, wrongMethod(req.Method, other))
			return
		}
		s.serve(w, req, unknown)
	})
	return mux
}

// otherMethod tells whether the path is known under another method.
func otherMethod(mux *http.ServeMux, req *http.Request) (string, bool) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		probe := &http.Request{Method: method, URL: req.URL, Host: req.Host}
		if _, pattern := mux.Handler(probe); strings.HasPrefix(pattern, method) {
			return method, true
		}
	}
	return "", false
}

func wrongMethod(used, wanted string) route {
	return route{name: "unknown", do: func(*market, *call) answer {
		return refuse(405, "The "+used+" method is not supported for this route. Supported methods: "+wanted+".")
	}}
}
