package node

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/goleak"

	"gec/cmd/gec/internal/config"
)

// settings returns the default settings for a new folder and free ports.
func settings(t *testing.T) config.Config {
	t.Helper()
	c, _, err := config.Load(pflag.NewFlagSet("", pflag.ContinueOnError), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.DataDir = filepath.Join(t.TempDir(), "data")
	c.HTTPAddress, c.GRPCAddress = "127.0.0.1:0", "127.0.0.1:0"
	return c
}

func TestServeLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var log bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	c := settings(t)
	c.LogRequests = false
	err := Serve(ctx, c, "test", slog.New(slog.NewTextHandler(&log, nil)), func(r Ready) {
		defer stop()
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
		response, err := client.Get("http://" + r.HTTP.String() + "/actuator/health/readiness")
		if err != nil {
			t.Error(err)
			return
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("readiness is %s", response.Status)
		}
	})
	if err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "the catalogue is empty") || strings.Contains(log.String(), "msg=request") {
		t.Errorf("log:\n%s", &log)
	}
}

func TestServeGivesEverythingBackWhenItCannotStart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	c := settings(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ready := func(Ready) { t.Error("ready") }
	c.GRPCAddress = taken.Addr().String()
	if err := Serve(t.Context(), c, "", slog.New(slog.DiscardHandler), ready); err == nil || !strings.Contains(err.Error(), "--grpc") {
		t.Error(err)
	}
	if _, err := os.Stat(c.DataDir); err == nil {
		t.Error("the folder was made before the ports were known to be free")
	}
	c.GRPCAddress = "127.0.0.1:0"
	if err := os.WriteFile(c.DataDir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), c, "", slog.New(slog.DiscardHandler), ready); err == nil || !strings.Contains(err.Error(), c.DataDir) {
		t.Errorf("a file in place of the folder: %v", err)
	}
}

func TestServeStoppedBeforeItBegan(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := Serve(ctx, settings(t), "", slog.New(slog.DiscardHandler), func(Ready) { t.Error("ready") })
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOpenForTrialLeavesNoFolder(t *testing.T) {
	c := settings(t)
	folder, err := OpenForTrial(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	trial := folder.trial
	if err := folder.Close(); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{c.DataDir, trial} {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is there", dir)
		}
	}
}
