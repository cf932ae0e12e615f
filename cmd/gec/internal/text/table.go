package text

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Column is one column of a table.
type Column struct {
	Title string
	// Right aligns the cells to the right, as amounts are.
	Right bool
	// ShrinkTo is the width down to which cells are cut, with an ellipsis, when the window is too
	// narrow; 0: never.
	ShrinkTo int
}

const gap = "  "

// Table writes rows below their titles in columns as wide as their widest cell. Where that is wider
// than width, the widest of the columns that may shrink give way; 0 is a window without an edge. A row
// has a cell for every column.
func Table(w io.Writer, width int, columns []Column, rows [][]string) error {
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.Title
	}
	lines := make([][]string, 0, len(rows)+1)
	for _, row := range append([][]string{titles}, rows...) {
		line := make([]string, len(row))
		for i, cell := range row {
			line[i] = Printable(cell)
		}
		lines = append(lines, line)
	}
	widths := fit(columns, lines, width)
	var out strings.Builder
	for _, line := range lines {
		out.WriteString(strings.TrimRight(format(columns, widths, line), " "))
		out.WriteByte('\n')
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// fit returns the width of every column.
func fit(columns []Column, lines [][]string, width int) []int {
	widths := make([]int, len(columns))
	total := len(gap) * (len(columns) - 1)
	for i := range columns {
		for _, line := range lines {
			widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
		}
		total += widths[i]
	}
	for width > 0 && total > width {
		widest := -1
		for i, c := range columns {
			if c.ShrinkTo > 0 && widths[i] > c.ShrinkTo && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		total--
	}
	return widths
}

func format(columns []Column, widths []int, line []string) string {
	cells := make([]string, len(line))
	for i, cell := range line {
		length := utf8.RuneCountInString(cell)
		if length > widths[i] {
			cell, length = string([]rune(cell)[:widths[i]-1])+"…", widths[i]
		}
		padding := strings.Repeat(" ", widths[i]-length)
		if cells[i] = cell + padding; columns[i].Right {
			cells[i] = padding + cell
		}
	}
	return strings.Join(cells, gap)
}

// Printable keeps a cell on its line and the terminal as it is.
func Printable(cell string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, cell)
}
