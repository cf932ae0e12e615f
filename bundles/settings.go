package bundles

import (
	"context"

	"gec/engine"
)

// SetSettings replaces the operator's settings. Errors: ErrForbidden; Faults; those of the Store.
func (c *Catalogue) SetSettings(ctx context.Context, caller Caller, s *engine.Settings, operation string) (Report, error) {
	return c.ChangeSettings(ctx, caller, operation, func(settings *engine.Settings) { *settings = *s })
}

// ChangeSettings changes the operator's settings by a function that is given a copy of the current ones,
// and that is called again where somebody else's change came first. Errors: ErrForbidden; Faults; those of the Store.
func (c *Catalogue) ChangeSettings(ctx context.Context, caller Caller, operation string, change func(*engine.Settings)) (Report, error) {
	record, err := c.changeSettings(ctx, caller, operation, func(_ base, s *engine.Settings) error {
		change(s)
		return nil
	})
	if err != nil {
		return Report{Revision: c.Head().Revision}, err
	}
	return Report{Revision: record.Revision}, nil
}

// changeSettings is ChangeSettings by a function that may refuse.
func (c *Catalogue) changeSettings(ctx context.Context, caller Caller, operation string, change func(base, *engine.Settings) error) (Record, error) {
	return c.operate(ctx, caller, operation, func(b base) (e edit, err error) {
		settings := cloneSettings(b.snapshot.Settings())
		if err := change(b, settings); err != nil {
			return e, err
		}
		faults, _ := CheckDocument(&Document{Settings: settings}, nil, b.today, false, nil)
		if len(settingsRows(b.snapshot.Settings(), settings)) > 0 {
			e.settings = settings
		}
		return e, faults.Err()
	})
}
