package bundles

import (
	"context"
	"errors"
	"fmt"

	"gec/engine"
)

// SetSettings replaces the operator's settings. Errors: ErrForbidden; Faults; those of the Store.
func (c *Catalogue) SetSettings(ctx context.Context, caller Caller, s *engine.Settings, operation string) (Report, error) {
	return c.ChangeSettings(ctx, caller, operation, func(settings *engine.Settings) { *settings = *s })
}

// ChangeSettings changes the operator's settings by a function that is given a copy of the current ones,
// and that is called again where somebody else's change came first. Errors: ErrForbidden; Faults; those of the Store.
func (c *Catalogue) ChangeSettings(ctx context.Context, caller Caller, operation string, change func(*engine.Settings)) (Report, error) {
	if err := caller.mayOperate(); err != nil {
		return Report{Revision: c.Head().Revision}, fmt.Errorf("%s: %w", operation, err)
	}
	record, err := c.change(ctx, request{caller: caller, operation: operation}, func(b base) (e edit, err error) {
		settings := cloneSettings(b.snapshot.Settings())
		change(settings)
		faults, _ := CheckDocument(&Document{Settings: settings}, nil, b.today, false, nil)
		if len(settingsRows(b.snapshot.Settings(), settings)) > 0 {
			e.settings = settings
		}
		return e, faults.Err()
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return Report{Revision: c.Head().Revision}, fmt.Errorf("%s: %w", operation, err)
	}
	return Report{Revision: record.Revision}, nil
}
