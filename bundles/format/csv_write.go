package format

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"gec/bundles"
)

// writeCSV writes bundles as Italian spreadsheets read them: with semicolons, decimal commas, lines that
// end in \r\n and a byte order mark, without which they would garble accents. There is a column for every
// language that some bundle is described in.
func writeCSV(w io.Writer, d *bundles.Document) error {
	columns, faults := csvColumnsOf(d)
	for i := range d.Bundles {
		_, flaws := csvRow(columns, i, &d.Bundles[i])
		faults = append(faults, flaws...)
	}
	if len(faults) > 0 {
		return faults
	}
	out := bufio.NewWriterSize(w, 64<<10)
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	out.WriteString("\uFEFF" + strings.Join(names, ";") + "\r\n")
	for i := range d.Bundles {
		row, _ := csvRow(columns, i, &d.Bundles[i])
		out.WriteString(strings.Join(row, ";") + "\r\n")
	}
	return out.Flush()
}

// csvRow returns the cells of a bundle as they are written, and what no cell can hold.
func csvRow(columns []csvColumn, i int, b *bundles.Bundle) (row []string, faults bundles.Faults) {
	row = make([]string, len(columns))
	for j, c := range columns {
		text, err := c.put(b)
		switch {
		case err != nil:
			faults = append(faults, csvFault(i, b, c.name, err.Error()))
		case strings.ContainsRune(text, 0):
			faults = append(faults, csvFault(i, b, c.name, "holds a NUL character"))
		}
		row[j] = csvText(SafeCell(text))
	}
	return row, faults
}

// csvColumnsOf returns the columns that the document takes, and the languages that no column can hold.
func csvColumnsOf(d *bundles.Document) (columns []csvColumn, faults bundles.Faults) {
	languages := map[string]bool{}
	for i := range d.Bundles {
		for _, language := range slices.Sorted(maps.Keys(d.Bundles[i].Descriptions)) {
			if !twoLetters(language) || strings.ToUpper(language) != language {
				faults = append(faults, csvFault(i, &d.Bundles[i], "descriptions", "has "+bundles.Excerpt(language)+" for a language"))
				continue
			}
			languages[language] = true
		}
	}
	for _, c := range csvColumns() {
		columns = append(columns, c)
		if c.name == "description" {
			for _, language := range slices.Sorted(maps.Keys(languages)) {
				columns = append(columns, languageColumn(language))
			}
		}
	}
	return columns, faults
}

func csvFault(i int, b *bundles.Bundle, field, reason string) bundles.Fault {
	return bundles.Fault{
		Path:   fmt.Sprintf("bundles[%d].%s", i, field),
		Reason: fmt.Sprintf("bundle %s %s", bundles.Excerpt(b.ID), reason),
		Fix:    "a CSV cannot say that: leave the bundle out, or use another format",
	}
}

// csvText returns a cell as it is written: in quotes where it must be, and where another program might
// take a comma or a tab for a separator; amounts have none.
func csvText(text string) string {
	amount := strings.Trim(text, "0123456789,") == ""
	if strings.ContainsAny(text, "\";,\t\r\n") && !amount || text != strings.TrimSpace(text) {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}
