package bundles

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-faster/jx"
)

// Touchpoint is a registered touchpoint with the instant of its registration.
type Touchpoint struct {
	// ID is the folded name.
	ID, Name string
	// Inserted is in UTC; zero for one that was registered before instants were kept.
	Inserted time.Time
}

// Touchpoints returns the registered touchpoints in the order of the settings.
func (c *Catalogue) Touchpoints(ctx context.Context) ([]Touchpoint, error) {
	current := c.current.Load()
	names := current.snapshot.Settings().Touchpoints
	all := make([]Touchpoint, 0, len(names))
	for _, name := range names {
		t := Touchpoint{ID: fold(name), Name: name}
		row, err := c.store.Get(ctx, current.record.Revision, KindTouchpoint, t.ID)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return nil, fmt.Errorf("touchpoints: %w", err)
		default:
			if t.Inserted, err = decodeTouchpoint(row.Document); err != nil {
				return nil, fmt.Errorf("touchpoints: %w", err)
			}
		}
		all = append(all, t)
	}
	return all, nil
}

// touchpointRows returns the rows that keep the instants of registration.
func touchpointRows(before, after []string, now time.Time) (rows []Row) {
	had, has := foldedNames(before), foldedNames(after)
	for _, name := range after {
		if id := fold(name); !had[id] {
			had[id] = true
			rows = append(rows, Row{Kind: KindTouchpoint, ID: id, Document: encodeTouchpoint(now)})
		}
	}
	for _, name := range before {
		if id := fold(name); !has[id] {
			has[id] = true
			rows = append(rows, Row{Kind: KindTouchpoint, ID: id, Deleted: true})
		}
	}
	return rows
}

func encodeTouchpoint(inserted time.Time) []byte {
	var e jx.Encoder
	e.ObjStart()
	writeInstant(&e, "insertedDate", inserted)
	e.ObjEnd()
	return e.Bytes()
}

func decodeTouchpoint(document []byte) (inserted time.Time, err error) {
	err = decodeDocument("touchpoint", document, func(d *jx.Decoder) error {
		return decodeObject(d, func(d *jx.Decoder, name []byte) error {
			if string(name) != "insertedDate" {
				return unknownField(name)
			}
			return decodeInstant(d, &inserted)
		})
	})
	return inserted, err
}
