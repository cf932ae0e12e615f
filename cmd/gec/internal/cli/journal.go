package cli

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gec/api/journal"
	"gec/api/marketplace"
	"gec/bundles"
	"gec/bundles/store/badger"
	"gec/cmd/gec/internal/ask"
	"gec/cmd/gec/internal/config"
	"gec/cmd/gec/internal/node"
)

// journal are the commands on the event journal.
func (p Process) journal() *cobra.Command {
	return p.group("journal", "Hand over the event journal, or check it", p.journalExport(), p.journalVerify())
}

// journalExporting is one call of the export of journals.
type journalExporting struct {
	process          Process
	cmd              *cobra.Command
	server, out      string
	format, from, to string
	callsOnly        bool
	filter           journal.Filter
}

func (p Process) journalExport() *cobra.Command {
	e := &journalExporting{process: p}
	cmd := &cobra.Command{
		Use:   "export [DATA…]",
		Short: "Write the records of calls and of changes of the catalogue, in order of time",
		Long: "Writes the event journal (Giornale degli Eventi) of one data folder, or of several nodes merged by time: two\n" +
			"records for a call, one for a change of the catalogue, in the fields of the specification. A node may go on\n" +
			"serving the folder: --server then says where to ask for the changes, or --calls-only leaves them out.",
		Example: "  gec journal export --data /var/lib/gec --from 2026-11-01 --to 2026-12-01 -o november.jsonl\n" +
			"  gec journal export --format csv --psp ESEMITM1XXX --server http://127.0.0.1:8080\n" +
			"  gec journal export node-a node-b node-c --operation getFeesMulti --calls-only",
		Args: arguments(cobra.ArbitraryArgs),
	}
	e.cmd = cmd
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&e.out, "output", "o", "-", "`file` to write; - is standard output")
	flags.StringVar(&e.format, "format", string(journal.JSONLines), "`form` of the records: jsonl or csv")
	flags.StringVar(&e.from, "from", "", "first `instant`, as 2026-11-26 or 2026-11-26T12:00:00Z")
	flags.StringVar(&e.to, "to", "", "`instant` before which records are written")
	flags.StringVar(&e.filter.CreditorInstitution, "ec", "", "only records of this EC, by its tax `code`")
	flags.StringVar(&e.filter.PSP, "psp", "", "only records that name this `PSP`")
	flags.StringVar(&e.filter.Operation, "operation", "", "only records of this `operation`, as getFeesMulti")
	flags.BoolVar(&e.callsOnly, "calls-only", false, "leave out the changes of the catalogue")
	serverFlags(flags, &e.server)
	flags.Lookup("server").Usage = "`URL` of the gec that serves the folder, as http://127.0.0.1:8080, to ask for the changes of the catalogue"
	config.Register(flags, false)
	cmd.RunE = func(_ *cobra.Command, folders []string) error { return e.run(folders) }
	return cmd
}

func (e *journalExporting) run(folders []string) (err error) {
	c, err := e.process.settings(e.cmd)
	if err != nil {
		return err
	}
	if e.format != string(journal.JSONLines) && e.format != string(journal.CSV) {
		return usage("--format: %q is none of jsonl, csv", e.format)
	}
	for _, bound := range []struct {
		flag, text string
		at         *time.Time
	}{{"from", e.from, &e.filter.From}, {"to", e.to, &e.filter.To}} {
		if bound.text == "" {
			continue
		}
		if *bound.at, err = journalInstant(bound.text); err != nil {
			return usage("--%s: %w", bound.flag, err)
		}
	}
	if len(folders) == 0 {
		folders = []string{c.DataDir}
	}
	var dirs []string
	for _, folder := range folders {
		dir := node.JournalFolder(folder)
		if _, err := os.Stat(dir); err != nil {
			return fmt.Errorf("%s has no journal: %w; name the data folder of a node", folder, err)
		}
		dirs = append(dirs, dir)
	}
	changes, err := e.changes(c, folders)
	if err != nil {
		return err
	}
	var done journal.Exported
	write := func(out io.Writer) (err error) {
		buffered := bufio.NewWriterSize(out, 64<<10)
		if done, err = journal.Export(buffered, journal.Format(e.format), dirs, changes, e.filter); err != nil {
			return err
		}
		return buffered.Flush()
	}
	if e.out == stdinFile {
		err = write(e.process.Stdout)
	} else if err = writeFile(e.out, write); err == nil {
		fmt.Fprintf(e.process.Stdout, "%s: %s\n", e.out, count(done.Records, "record"))
	}
	if err == nil && len(done.Faults) > 0 {
		return fmt.Errorf("what could be read was exported, but the journal is not what was written: %s; first: %s. Run 'gec journal verify'",
			count(len(done.Faults), "fault"), done.Faults[0])
	}
	return err
}

// journalInstant reads an instant, or the beginning of a day.
func journalInstant(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil // as the records, in UTC
	}
	return ask.ParseInstant(text)
}

// changes returns the records of the changes of the catalogue, from a server or from the folders.
func (e *journalExporting) changes(c config.Config, folders []string) (all []bundles.Record, err error) {
	switch {
	case e.callsOnly:
		return nil, nil
	case e.server != "":
		return e.changesOfServer()
	}
	for _, c.DataDir = range folders {
		err := e.process.withFolder(e.cmd.Context(), c, func(folder *node.Folder) error {
			records, err := folder.Records(e.cmd.Context(), node.Owner(), 1, folder.Head().Revision)
			all = append(all, records...)
			return err
		})
		if errors.Is(err, badger.ErrInUse) {
			return nil, usage("a node serves %s: say with --server where, so that the changes of the catalogue can be asked for, or leave them out with --calls-only", c.DataDir)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// changesOfServer asks a running server, page by page.
func (e *journalExporting) changesOfServer() (all []bundles.Record, err error) {
	client, err := ask.NewRemote(e.server)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--server: %w", err)}
	}
	if client, err = e.process.withKey(e.cmd, client); err != nil {
		return nil, err
	}
	const page = 1000
	for from := int64(1); ; from += page {
		path := "/gec/v1/revisions?from=" + strconv.FormatInt(from, 10) + "&to=" + strconv.FormatInt(from+page-1, 10)
		out, err := client.Do(e.cmd.Context(), http.MethodGet, path, nil, nil)
		if err != nil {
			return nil, ask.Describe(err)
		}
		var answer struct{ Revisions []marketplace.RevisionView }
		if err := json.Unmarshal(out, &answer); err != nil {
			return nil, fmt.Errorf("the server does not answer as gec does: %w", err)
		}
		for _, r := range answer.Revisions {
			all = append(all, bundles.Record{Revision: r.Revision, At: r.At, Caller: r.Caller, OnBehalfOf: r.OnBehalfOf, Operation: r.Operation, Rows: r.Rows})
		}
		if len(answer.Revisions) < page {
			return all, nil
		}
	}
}

func (p Process) journalVerify() *cobra.Command {
	var head string
	cmd := &cobra.Command{
		Use:   "verify [DATA…]",
		Short: "Read a journal to the last byte and say whether it is what was written",
		Long: "Holds every entry of a journal against the chain of hashes, and the revisions that it names against the\n" +
			"catalogue unless a node serves the folder. Says whether the journal is whole, whether a crash tore its end,\n" +
			"or where it was edited or misses entries; exit code 1 for the latter two. --head takes an entry and its hash\n" +
			"from an earlier verify or from the log: a journal that was written anew does not have it.",
		Example: "  gec journal verify --data /var/lib/gec\n  gec journal verify --head 51234:9f86d0…",
		Args:    arguments(cobra.ArbitraryArgs),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&head, "head", "", "`ENTRY:HASH` that the journal must have")
	config.Register(cmd.Flags(), false)
	cmd.RunE = func(_ *cobra.Command, folders []string) error {
		c, err := p.settings(cmd)
		if err != nil {
			return err
		}
		var o journal.VerifyOptions
		if head != "" {
			if o.Head, err = readMark(head); err != nil {
				return usage("--head: %w", err)
			}
		}
		if len(folders) == 0 {
			folders = []string{c.DataDir}
		}
		var faulty failures
		for _, c.DataDir = range folders {
			if err := p.verifyJournal(cmd.Context(), c, o); err != nil {
				faulty = append(faulty, err)
			}
		}
		if len(faulty) > 0 {
			return faulty
		}
		return nil
	}
	return cmd
}

// readMark reads "51234:9f86d0…".
func readMark(text string) (m journal.Mark, err error) {
	number, hash, _ := strings.Cut(text, ":")
	m.Number, err = strconv.ParseUint(number, 10, 64)
	raw, hexErr := hex.DecodeString(hash)
	if err != nil || hexErr != nil || len(raw) != len(m.SHA256) || m.Number == 0 {
		return m, fmt.Errorf("%q is no entry and hash: write 51234: and 64 hexadecimal digits", text)
	}
	copy(m.SHA256[:], raw)
	return m, nil
}

// verifyJournal verifies the journal of one data folder, together with its catalogue where that is free.
func (p Process) verifyJournal(ctx context.Context, c config.Config, o journal.VerifyOptions) error {
	dir := node.JournalFolder(c.DataDir)
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("%s has no journal: %w; name the data folder of a node with --data", c.DataDir, err)
	}
	var report journal.Report
	compared := true
	err := p.withFolder(ctx, c, func(folder *node.Folder) (err error) {
		o.Revision = folder.RevisionHash(ctx)
		report, err = journal.Verify(dir, o)
		return err
	})
	if errors.Is(err, badger.ErrInUse) {
		compared, o.Revision = false, nil
		report, err = journal.Verify(dir, o)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	for _, f := range report.Faults {
		fmt.Fprintf(p.Stderr, "%s: %s\n", dir, f)
	}
	fmt.Fprintf(p.Stdout, "%s: %s\n", dir, journalTold(&report, compared))
	if !report.Whole() {
		return fmt.Errorf("%s is not what was written: %s", dir, count(len(report.Faults), "fault"))
	}
	return nil
}

// journalTold says what a report found.
func journalTold(r *journal.Report, compared bool) string {
	state := "whole"
	switch {
	case !r.Whole():
		state = "NOT WHOLE"
	case r.Running:
		state = "whole, and being written"
	case r.Torn > 0:
		state = fmt.Sprintf("whole up to a torn tail of %d bytes, as a crash leaves it", r.Torn)
	case !r.Stopped && r.Entries > 0:
		state = "whole up to where the process ended without a stop"
	}
	parts := []string{
		fmt.Sprintf("%s: %s in %s and %s", state, count(int(r.Calls), "call"), count(r.Segments, "segment"), count(int(r.Entries), "entry")),
	}
	parts[0] = strings.Replace(parts[0], "entrys", "entries", 1)
	if !r.Began.IsZero() {
		parts = append(parts, "since "+r.Began.Format(time.RFC3339))
	}
	if r.Crashes > 0 {
		parts = append(parts, count(r.Crashes, "start")+" after a crash")
	}
	if r.Lost > 0 {
		parts = append(parts, count(int(r.Lost), "call")+" that could not be written")
	}
	if r.ExpiredThrough > 0 {
		parts = append(parts, fmt.Sprintf("expired through entry %d", r.ExpiredThrough))
	}
	if !compared {
		parts = append(parts, "not compared with the catalogue, which a node serves")
	}
	return strings.Join(parts, "; ") + fmt.Sprintf("\nhead %d:%x", r.Head, r.Digest)
}
