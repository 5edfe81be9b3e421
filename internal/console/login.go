package console

import (
	"net/http"
	"strings"
)

// maxForm is the largest body of a request, in bytes.
const maxForm = 4 << 10

// entry is how far a request gets: a status, 200 for all the way.
func (c *console) entry(r *http.Request) int {
	if !c.door.set {
		if here, ok := localAddr(r); !ok || !here.ip.IsLoopback() {
			return http.StatusForbidden
		}
		return http.StatusOK
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return c.door.knock(r, token)
	}
	if id := sessionID(r); id != "" && c.sessions.touch(id) {
		return http.StatusOK
	}
	return http.StatusUnauthorized
}

// person guards a page: who is not logged in is asked for the token.
func (c *console) person(page http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := c.entry(r); status != http.StatusOK {
			c.refuse(w, r, status)
			return
		}
		page(w, r)
	})
}

// machine guards what programs read. On this machine they need no token.
func (c *console) machine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fromHere(r) {
			if status := c.entry(r); status != http.StatusOK {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, entryText(status), status)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// entryText says what to do about a status of entry.
func entryText(status int) string {
	switch status {
	case http.StatusForbidden:
		return "set RUNNER_CONSOLE_TOKEN to reach the console from elsewhere"
	case http.StatusTooManyRequests:
		return "too many wrong tokens: wait a minute"
	default:
		return "the console's token is needed"
	}
}

func (c *console) refuse(w http.ResponseWriter, r *http.Request, status int) {
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	}
	c.render(w, r, status, "login.html", loginView{
		frame: frame{Title: "Log in", Version: c.Version}, Message: entryText(status), Ask: c.door.set,
	})
}

// loginView is what the login page shows.
type loginView struct {
	frame
	Message string
	// Ask tells whether a token would help.
	Ask bool
}

// askLogin is the page that asks for the token.
func (c *console) askLogin(w http.ResponseWriter, r *http.Request) {
	if !c.door.set {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	c.render(w, r, http.StatusOK, "login.html", loginView{
		frame: frame{Title: "Log in", Version: c.Version}, Message: entryText(http.StatusUnauthorized), Ask: true,
	})
}

// login opens a session for the right token, under a new id.
func (c *console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	if !c.door.set {
		http.NotFound(w, r)
		return
	}
	if status := c.door.knock(r, r.PostForm.Get("token")); status != http.StatusOK {
		c.Log.WarnContext(r.Context(), "a login was refused", "peer", r.RemoteAddr, "status", status)
		c.refuse(w, r, status)
		return
	}
	c.sessions.end(sessionID(r))
	http.SetCookie(w, sessionCookie(r, c.sessions.begin(), sessionLife))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// logout ends the session.
func (c *console) logout(w http.ResponseWriter, r *http.Request) {
	c.sessions.end(sessionID(r))
	http.SetCookie(w, sessionCookie(r, "", -1*sessionLife))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
