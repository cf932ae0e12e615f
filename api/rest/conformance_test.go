package rest

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// casesFile holds the platform's conformance cases, where they are there.
const casesFile = "../../../shared/conformance/quotes.jsonl"

// conformanceCase is one line of the cases: a request and the answer that the spec asks for.
type conformanceCase struct {
	ID, API, IDPsp string
	MaxOccurrences *int
	AllCcp         *string
	OnUsFirst      *string
	OrderBy        *string
	Request        json.RawMessage
	Expect         struct {
		Status         int
		Title, Detail  string
		BelowThreshold bool
		Total          int
		Order          string
		BundleOptions  []map[string]any
	}
}

// path is where the case goes, with its query.
func (c *conformanceCase) path() string {
	path := "/fees"
	if c.IDPsp != "" {
		path = "/psps/" + url.PathEscape(c.IDPsp) + "/fees"
	}
	if c.API == "v2" {
		path += "/multi"
	}
	query := url.Values{}
	if c.MaxOccurrences != nil {
		query.Set("maxOccurrences", fmt.Sprint(*c.MaxOccurrences))
	}
	for name, value := range map[string]*string{"allCcp": c.AllCcp, "onUsFirst": c.OnUsFirst, "orderBy": c.OrderBy} {
		if value != nil {
			query.Set(name, *value)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// TestConformance sends the cases over HTTP to a service on a catalogue in Badger and judges the answers as
// conformance/run.py does.
func TestConformance(t *testing.T) {
	file, err := os.Open(casesFile)
	if err != nil {
		t.Skipf("the conformance cases are not there: %v", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	var server *httptest.Server
	passed, sent := 0, 0
	for lines.Scan() {
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"config"`)) {
			if server != nil {
				server.Close()
			}
			server = conformanceServer(t, lines.Text())
			continue
		}
		var c conformanceCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil || server == nil {
			t.Fatalf("%v: %.200s", err, lines.Text())
		}
		sent++
		if wrong := c.judge(send(t, server, &c)); wrong != "" {
			t.Errorf("%s %s: %s", c.ID, c.API, wrong)
			continue
		}
		passed++
	}
	if err := lines.Err(); err != nil || sent == 0 {
		t.Fatalf("%d cases, %v", sent, err)
	}
	server.Close()
	t.Logf("%d of %d conformance cases", passed, sent)
}

func conformanceServer(t *testing.T, snapshot string) *httptest.Server {
	t.Helper()
	c := openCatalogue(t)
	importSnapshot(t, c, snapshot)
	a, err := New(Options{Name: "gec", Catalogue: c, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return server
}

func send(t *testing.T, server *httptest.Server, c *conformanceCase) (int, map[string]any) {
	t.Helper()
	answer, err := server.Client().Post(server.URL+c.path(), "application/json", bytes.NewReader(c.Request))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatalf("%s: %v: %s", c.ID, err, text)
	}
	return answer.StatusCode, body
}

// judge returns what is wrong with an answer, nothing where it is right.
func (c *conformanceCase) judge(status int, body map[string]any) string {
	e := &c.Expect
	if status != e.Status {
		return fmt.Sprintf("status %d for %d: %v", status, e.Status, body)
	}
	if status != http.StatusOK {
		if body["title"] != e.Title || body["detail"] != e.Detail {
			return fmt.Sprintf("%v: %v", body["title"], body["detail"])
		}
		return ""
	}
	if body["belowThreshold"] != e.BelowThreshold {
		return fmt.Sprintf("belowThreshold %v", body["belowThreshold"])
	}
	list, ok := body["bundleOptions"].([]any)
	if !ok {
		return "no bundleOptions"
	}
	var rows []map[string]any
	for _, row := range list {
		rows = append(rows, row.(map[string]any))
	}
	if e.Order == "exact" {
		return c.judgeExact(rows)
	}
	return c.judgeSet(rows)
}

func (c *conformanceCase) judgeExact(rows []map[string]any) string {
	want := c.Expect.BundleOptions
	if len(rows) != len(want) {
		return fmt.Sprintf("%d rows for %d", len(rows), len(want))
	}
	for i := range rows {
		if got, want := normal(rows[i], want[i]), normal(want[i], want[i]); got != want {
			return fmt.Sprintf("row %d: %s for %s", i, got, want)
		}
	}
	return ""
}

func (c *conformanceCase) judgeSet(rows []map[string]any) string {
	e, limit := &c.Expect, 10
	if c.MaxOccurrences != nil {
		limit = *c.MaxOccurrences
	}
	if len(rows) != min(e.Total, limit) {
		return fmt.Sprintf("%d rows for %d", len(rows), min(e.Total, limit))
	}
	var pool []string
	for _, row := range e.BundleOptions {
		pool = append(pool, normal(row, row))
	}
	onUs, fees := []bool{}, []float64{}
	for _, row := range rows {
		key := normal(row, e.BundleOptions[0])
		at := slices.Index(pool, key)
		if at < 0 {
			return "row not expected: " + key
		}
		pool = slices.Delete(pool, at, at+1)
		onUs = append(onUs, row["onUs"].(bool))
		if fee, ok := row["actualPayerFee"].(float64); ok {
			fees = append(fees, fee)
		}
	}
	return c.judgeOrder(onUs, fees, limit)
}

// judgeOrder looks at the order of rows that chance has a part in: on-us first, and rising fees for feerandom.
func (c *conformanceCase) judgeOrder(onUs []bool, fees []float64, limit int) string {
	onUsFirst := c.API == "v1" || c.OnUsFirst == nil || *c.OnUsFirst == "" || strings.EqualFold(*c.OnUsFirst, "true")
	shown := len(slices.DeleteFunc(slices.Clone(onUs), func(flag bool) bool { return !flag }))
	if onUsFirst {
		if slices.Contains(onUs[:shown], false) {
			return "on-us rows not first"
		}
		all := 0
		for _, row := range c.Expect.BundleOptions {
			if row["onUs"] == true {
				all++
			}
		}
		if limit < c.Expect.Total && shown != min(limit, all) {
			return "on-us rows cut before others"
		}
	} else {
		shown = 0
	}
	if c.OrderBy != nil && *c.OrderBy == "feerandom" && !(slices.IsSorted(fees[:shown]) && slices.IsSorted(fees[shown:])) {
		return fmt.Sprintf("fees do not rise: %v", fees)
	}
	return ""
}

// normal is a row as text, with the members that the expected row has and the lists without order sorted.
func normal(row, like map[string]any) string {
	n := map[string]any{}
	for name := range like {
		value, ok := row[name]
		if !ok {
			value = "<absent>"
		}
		if list, ok := value.([]any); ok {
			list = slices.Clone(list)
			slices.SortFunc(list, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			value = list
		}
		n[name] = value
	}
	text, _ := json.Marshal(n)
	return string(text)
}
