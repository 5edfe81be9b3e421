package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/campaigns/span"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

//go:embed page
var files embed.FS

// pageWithin bounds how long a page is read for.
const pageWithin = 10 * time.Second

// refreshEvery is how often a page asks again, in seconds.
const refreshEvery = "5"

// pages are the templates. Every text that comes from elsewhere goes through
// clean on top of the escaping, so that nothing in it can turn a line around.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"clean": cleanText, "usd": usd, "spent": spent, "path": opPath, "stamp": stamp, "clock": clock, "scope": scopeName,
	"rows": rows, "threshold": threshold, "instant": time.UnixMilli, "length": span.Rough,
}).ParseFS(files, "page/*.html"))

// frame is what surrounds each page.
type frame struct {
	Title, Version string
	// At is the moment that the page tells of; zero where it tells of none.
	At time.Time
	// Session tells whether there is one to log out of.
	Session bool
	// Refreshing tells whether the page asks again by itself, and Switch is this
	// same page where it does the other.
	Refreshing bool
	Switch     string
}

func (c *console) frame(w http.ResponseWriter, r *http.Request, title string) frame {
	f := frame{
		Title: title, Version: c.Version, At: c.Now(), Session: c.door.set && sessionID(r) != "",
		Refreshing: r.URL.Query().Get("refresh") != "off",
	}
	query := r.URL.Query()
	if f.Refreshing {
		w.Header().Set("Refresh", refreshEvery)
		query.Set("refresh", "off")
	} else {
		query.Del("refresh")
	}
	f.Switch = "?" + query.Encode()
	return f
}

// status is the page of everything.
func (c *console) status(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageWithin)
	defer cancel()
	number, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		number = 1
	}
	o, err := c.overview(ctx, number)
	if err != nil {
		c.broken(w, r, err)
		return
	}
	o.frame = c.frame(w, r, "Status")
	c.render(w, r, http.StatusOK, "status.html", o)
}

// opView is what the page of an operation shows.
type opView struct {
	frame
	*journal.Op
}

// operation is the page of one operation with all its history.
func (c *console) operation(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageWithin)
	defer cancel()
	op, err := c.Journal.Get(ctx, r.PathValue("id"))
	switch {
	case errors.Is(err, journal.ErrNotFound):
		c.render(w, r, http.StatusNotFound, "error.html", errorView{
			frame: frame{Title: "Not found", Version: c.Version}, Problem: "The journal holds no operation of this id.",
		})
	case err != nil:
		c.broken(w, r, err)
	default:
		c.render(w, r, http.StatusOK, "operation.html", opView{c.frame(w, r, "Operation"), op})
	}
}

// errorView is what a page shows that could not be made.
type errorView struct {
	frame
	Problem, Detail string
}

// broken tells that the journal cannot be read. The page asks again.
func (c *console) broken(w http.ResponseWriter, r *http.Request, err error) {
	c.Log.WarnContext(r.Context(), "the journal cannot be read for a page", "route", r.Pattern, "err", err)
	c.render(w, r, http.StatusServiceUnavailable, "error.html", errorView{
		frame: c.frame(w, r, "Not available"), Problem: "The journal cannot be read now.", Detail: err.Error(),
	})
}

// render writes a page only when all of it could be made.
func (c *console) render(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		c.Log.ErrorContext(r.Context(), "a page cannot be made", "page", name, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // who asked may have gone
}

// style is the style sheet of all pages.
func style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "page/style.css")
}

// cleanText is any kind of text without characters that steer what shows it.
func cleanText(v any) string { return output.Clean(fmt.Sprintf("%s", v)) }

// usd is an amount, or a dash where it is not known.
func usd(v any) string {
	switch a := v.(type) {
	case money.USD:
		return a.String()
	case *money.USD:
		if a != nil {
			return a.String()
		}
	}
	return "–"
}

// opPath is the page of an operation. Each part of an id is escaped, since an
// item's key may hold percent signs.
func opPath(id string) string {
	parts := strings.Split(id, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/op/" + strings.Join(parts, "/")
}

// table is a list of operations under a caption.
type table struct {
	Caption string
	Rows    []*journal.Op
}

func rows(caption string, ops []*journal.Op) table { return table{caption, ops} }

// threshold is where a budget's bar changes its colour: where it closes.
func threshold(b journal.Budget) money.USD {
	if b.PauseAt > 0 && b.PauseAt < b.Cap {
		return b.PauseAt
	}
	return b.Cap
}

// stamp is an instant for machines, clock the same for people.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// scopeName is a budget's scope as people call it.
func scopeName(scope string) string {
	if name, ok := strings.CutPrefix(scope, "c:"); ok {
		return name
	}
	name := strings.TrimPrefix(scope, "f:")
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return "file " + name
}
