package simulator

import (
	"net/http"
)

// page serves the whole page. A form that was sent is answered with the URL of the question, so that the
// address bar always holds a link that can be shared.
func (s *simulator) page(w http.ResponseWriter, r *http.Request) error {
	return s.show(w, r, "page.html")
}

// results serves the part of the page that changes with the question, for the browser side.
func (s *simulator) results(w http.ResponseWriter, r *http.Request) error {
	return s.show(w, r, "answer.html")
}

func (s *simulator) show(w http.ResponseWriter, r *http.Request, name string) error {
	v, at, err := s.read(r)
	if err != nil {
		return err
	}
	tell(w, v)
	q := v.Question
	if name == "page.html" && q.sent && len(q.Faults) == 0 && !q.adding {
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, pathPage+"?"+q.Query(), http.StatusSeeOther)
		return nil
	}
	w.Header().Add("Vary", "Accept-Language")
	if len(q.Faults) == 0 && !q.sent {
		if fresh(w, r, s.tag(v, name)) {
			return nil
		}
	} else {
		w.Header().Set("Cache-Control", "no-store")
	}
	if err := s.fill(r, v, at); err != nil {
		w.Header().Del("ETag")
		return err
	}
	status := http.StatusOK
	if len(q.Faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	s.write(w, r, status, name, v)
	return nil
}

// tag returns the ETag of an answer: it changes with the revision, the question, the language, the build and,
// for a question about the present, with the day, and the minute where fees depend on that.
func (s *simulator) tag(v *view, kind string) string {
	q := v.Question
	at := v.At
	if !v.Directory.timed && v.Now {
		at.Minute = 0
	}
	return tag(kind, "\n", s.assets.Build, "\n", v.Directory.snapshot.Revision(), "\n", v.Lang, "\n", v.First, "\n", q.Query(), "\n", at)
}
