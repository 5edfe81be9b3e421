package console

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/campaign-runner/campaign-runner/campaigns/money"
	"github.com/campaign-runner/campaign-runner/internal/journal"
	"github.com/campaign-runner/campaign-runner/internal/output"
)

//go:embed page/*
var pages embed.FS

// templates are the pages. html/template escapes what they show; clean also
// makes characters visible that would steer what a person reads.
var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"clean": func(v any) string { return output.Clean(fmt.Sprint(v)) },
	"when":  when,
	"money": amount,
	"ops":   func(caption string, ops []*journal.Op) opsView { return opsView{caption, ops} },
}).ParseFS(pages, "page/*.html"))

// opsView is a table of operations.
type opsView struct {
	Caption string
	Ops     []*journal.Op
}

// frame is what every page has.
type frame struct {
	Title   string
	Version string
	// Refresh has the page read again every so many seconds; 0 does not.
	Refresh int
	// Leave shows the button that ends the session.
	Leave bool
}

// when is a time for people; "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// amount is USD for people; "" for what is not known.
func amount(a *money.USD) string {
	if a == nil {
		return ""
	}
	return a.String()
}

// render writes a page whole, or a plain 500.
func (c *console) render(w http.ResponseWriter, r *http.Request, status int, name string, view any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, view); err != nil {
		c.Log.ErrorContext(r.Context(), "a page could not be made", "page", name, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // who asked may have gone
}

// style is the one style sheet.
func style(w http.ResponseWriter, _ *http.Request) {
	body, err := pages.ReadFile("page/style.css")
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(body)
}

// operation shows one operation with its whole history.
func (c *console) operation(w http.ResponseWriter, r *http.Request) {
	op, err := c.Journal.Get(r.Context(), r.PathValue("id"))
	if errors.Is(err, journal.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		c.unreadable(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "operation.html", struct {
		frame
		Op *journal.Op
	}{frame{Title: op.ID, Version: c.Version, Leave: c.door.set}, op})
}

// unreadable tells a person that the journal cannot be read.
func (c *console) unreadable(w http.ResponseWriter, r *http.Request, err error) {
	c.Log.WarnContext(r.Context(), "the journal cannot be read for a page", "err", err)
	http.Error(w, "the journal cannot be read now: is Redis up? The page may be loaded again.", http.StatusServiceUnavailable)
}
