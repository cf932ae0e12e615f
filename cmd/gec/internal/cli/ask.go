package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"gec/api/problem"
	"gec/api/rpc"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
)

// question is what quote and explain have in common: a payment, whom to ask, how to print.
type question struct {
	process Process
	cmd     *cobra.Command
	payment *ask.Flags
	server  string
	json    bool
}

// question defines the flags on a command.
func (p Process) question(cmd *cobra.Command) *question {
	q := &question{process: p, cmd: cmd}
	cmd.Flags().SortFlags = false
	q.payment = ask.Register(cmd.Flags())
	config.Register(cmd.Flags(), false)
	serverFlags(cmd.Flags(), &q.server)
	cmd.Flags().BoolVar(&q.json, "json", false, "print the whole answer as JSON")
	return q
}

// put calls f with a client of the server or the folder that the flags name.
func (q *question) put(f func(*ask.Client) error) error {
	return q.process.ask(q.cmd, q.server, func(folder *node.Folder) (http.Handler, error) {
		log := slog.New(slog.NewTextHandler(q.process.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
		return rpc.JSON(rpc.Options{Catalogue: folder.Catalogue, Log: log}), nil
	}, f)
}

// ask calls f with a client of a server, or where none is named of the handler that answers on the folder of
// the command's flags.
func (p Process) ask(cmd *cobra.Command, server string, local func(*node.Folder) (http.Handler, error), f func(*ask.Client) error) error {
	if server != "" {
		if cmd.Flags().Changed("data") {
			return usage("--data and --server are two places to ask: choose one")
		}
		client, err := ask.NewRemote(server)
		if err != nil {
			return &usageError{fmt.Errorf("--server: %w", err)}
		}
		if client, err = withTLS(cmd, client); err != nil {
			return err
		}
		if client, err = p.withKey(cmd, client); err != nil {
			return err
		}
		return f(client)
	}
	c, err := p.settings(cmd)
	if err != nil {
		return err
	}
	return p.withFolder(cmd.Context(), c, func(folder *node.Folder) error {
		handler, err := local(folder)
		if err != nil {
			return err
		}
		return f(ask.NewLocal(handler))
	})
}

// refused words what a client could not answer. All of a payment stands on the command line: where it is no payment,
// the command was asked wrongly.
func refused(err error) error {
	var p *problem.Problem
	if errors.As(err, &p) && p.Status == http.StatusBadRequest {
		return &usageError{ask.Describe(err)}
	}
	return ask.Describe(err)
}

// The variables of the environment that hold an access key and the name of a file with one.
const (
	keyEnv     = config.EnvPrefix + "KEY"
	keyFileEnv = config.EnvPrefix + "KEY_FILE"
)

// keyFileBytesMax is far more than a file with one key has.
const keyFileBytesMax = 4 << 10

// serverFlags defines the flags of a command that may ask a server. There is none for the key itself, which
// other users of the machine would see among the processes.
func serverFlags(flags *pflag.FlagSet, server *string) {
	flags.StringVar(server, "server", "", "`URL` of a running gec to ask, as http://127.0.0.1:8080, in place of a data folder")
	flags.String("key-file", "", "`file` with the access key for --server ("+keyFileEnv+"; or the key itself in "+keyEnv+")")
	flags.String("ca-file", "", "PEM `file` of who vouches for the --server; none: those of the system")
	flags.String("client-cert", "", "PEM `file` of a certificate to show to the --server")
	flags.String("client-key", "", "PEM `file` of the key of --client-cert")
}

// withTLS lets a client use the files that the command line names, if any.
func withTLS(cmd *cobra.Command, client *ask.Client) (*ask.Client, error) {
	files := map[string]string{}
	for _, name := range []string{"ca-file", "client-cert", "client-key"} {
		value, err := cmd.Flags().GetString(name)
		if err != nil {
			return nil, err
		}
		if value != "" {
			files[name] = value
		}
	}
	if (files["client-cert"] == "") != (files["client-key"] == "") {
		return nil, usage("--client-cert and --client-key go together")
	}
	if len(files) == 0 {
		return client, nil
	}
	return client.WithTLS(files["ca-file"], files["client-cert"], files["client-key"])
}

// withKey lets a client show the access key that the command line or the environment names, if any.
func (p Process) withKey(cmd *cobra.Command, client *ask.Client) (*ask.Client, error) {
	variable := func(name string) (value string) {
		for _, v := range p.Environ {
			if after, is := strings.CutPrefix(v, name+"="); is {
				value = after
			}
		}
		return value
	}
	path, err := cmd.Flags().GetString("key-file")
	if err != nil {
		return nil, err
	}
	source, key := keyEnv, variable(keyEnv)
	if path == "" && key == "" {
		path = variable(keyFileEnv)
	}
	if path != "" {
		text, err := readFileMax(path, keyFileBytesMax)
		if err != nil {
			return nil, err
		}
		source, key = path, string(text)
	}
	if key = strings.TrimSpace(key); key == "" {
		return client, nil
	}
	if client, err = client.WithKey(key); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return client, nil
}

// readFileMax reads a file of at most so many bytes.
func readFileMax(path string, bytesMax int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, bytesMax+1))
	if err == nil && int64(len(text)) > bytesMax {
		err = fmt.Errorf("%s is longer than %d bytes", path, bytesMax)
	}
	return text, err
}

// withFolder calls f with the catalogue of a data folder that is there, and closes it.
func (p Process) withFolder(ctx context.Context, c config.Config, f func(*node.Folder) error) (err error) {
	folder, err := node.OpenExisting(ctx, c, p.warnings())
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := folder.Close(); err == nil {
			err = closeErr
		}
	}()
	return f(folder)
}

// warnings is the log of commands that end: only what somebody should do something about.
func (p Process) warnings() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// printJSON writes a message with every field, indented, the same bytes for the same message.
func printJSON(w io.Writer, m proto.Message) error {
	text, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return err
	}
	var compact, out bytes.Buffer
	if err := json.Compact(&compact, text); err != nil { // protojson varies its spaces on purpose
		return err
	}
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = out.WriteTo(w)
	return err
}

// instant writes an instant in Rome's time with its offset, so that it can be given back. Rules look at
// minutes and days only, so that its seconds need no parts.
func instant(at *timestamppb.Timestamp) string {
	t := at.AsTime()
	if rome, err := ask.Rome(); err == nil {
		t = t.In(rome)
	}
	return t.Format(time.RFC3339)
}
