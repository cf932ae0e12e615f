package node

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"gec/api/problem"
	"gec/api/receipt"
	"gec/bundles"
	"gec/cmd/gec/internal/config"
)

// receipts makes the desk that gives and redeems the receipts of a node. A key that cannot be read does not take
// the quotes down: the node redeems receipts and gives none, and says why.
func (f *Folder) receipts(c config.Config, log *slog.Logger) *receipt.Desk {
	o := receipt.Options{
		Catalogue: f.Catalogue, Validity: c.ReceiptValidity, Caller: bundles.Operator("gec serve"),
		Failed: func(err error) { log.Warn("a receipt was wanted and could not be given", "error", err) },
	}
	vault, err := receipt.OpenVault(c.DataDir)
	switch {
	case err != nil:
		log.Error("the node gives no receipts: its key cannot be read", "error", err)
	case vault.Tightened:
		log.Warn("others could read the key that signs receipts, and no longer can: consider 'gec receipt rotate'")
		fallthrough
	default:
		o.Vault = vault
	}
	return receipt.NewDesk(o)
}

// Receipts makes the desk of a folder that no server has open, for its owner.
func (f *Folder) Receipts(c config.Config) (*receipt.Desk, error) {
	vault, err := receipt.OpenVault(c.DataDir)
	if err != nil {
		return nil, err
	}
	return receipt.NewDesk(receipt.Options{Catalogue: f.Catalogue, Vault: vault, Validity: c.ReceiptValidity, Caller: Owner()}), nil
}

// rotateEvery lets another key sign receipts when the one in use is older than the settings allow. The function
// that it returns ends that, and returns when it has ended.
func rotateEvery(ctx context.Context, c config.Config, desk *receipt.Desk, log *slog.Logger) (end func()) {
	if c.ReceiptKeyAge == 0 {
		return func() {}
	}
	return background(ctx, func(ctx context.Context) {
		rotate := func() {
			rotated, err := desk.RotateOlder(ctx, c.ReceiptKeyAge)
			switch {
			case err != nil && ctx.Err() == nil:
				log.Warn("the key that signs receipts is old and could not be rotated", "error", err)
			case rotated:
				log.Info("another key signs receipts")
			}
		}
		rotate()
		every(ctx, min(c.ReceiptKeyAge, time.Hour), rotate)
	})
}

// rotateReceiptKey answers the operator who wants another key to sign receipts on this node.
func rotateReceiptKey(desk *receipt.Desk) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, err := desk.Rotate(r.Context(), bundles.Operator("operator's listener"))
		answerOperator(w, key, err)
	}
}

// endReceiptKey answers the operator who ends the key of a node that is no more.
func endReceiptKey(desk *receipt.Desk) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := receipt.ParseKeyID(r.PathValue("key"))
		if err != nil {
			err = problem.Invalid([]problem.Field{{Path: "key", Message: err.Error()}})
		} else {
			err = desk.End(r.Context(), bundles.Operator("operator's listener"), id)
		}
		answerOperator(w, struct{}{}, err)
	}
}

// answerOperator writes a value, or the problem that an error is shown as; the operator sees its cause.
func answerOperator(w http.ResponseWriter, value any, err error) {
	var body []byte
	status, content := http.StatusOK, "application/json"
	if err == nil {
		body, err = json.Marshal(value)
	}
	if err != nil {
		p := problem.Of(err)
		if p.Instance != "" {
			p.Detail = err.Error()
		}
		status, content, body = p.Status, problem.ContentType, p.Append(nil)
	}
	w.Header().Set("Content-Type", content)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller is gone if it fails
}
