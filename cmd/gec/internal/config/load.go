package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// fileSetting is the one setting that the table lacks, as it says where the file of the others is.
const fileSetting = "config"

// Value is one setting in force.
type Value struct {
	// Name of the setting and its value as it would be written.
	Name, Text string
	// Source says where the value came from: "default", "file gec.yaml:3", "environment GEC_HTTP" or
	// "flag --http".
	Source string
}

// Error is returned for settings that cannot be used. Its text names every fault with its place.
type Error struct{ Faults []error }

func (e *Error) Error() string { return errors.Join(e.Faults...).Error() }

// Register defines the flags of the settings: those of every command on a data folder, and with
// serve also those of a server. Without flags a setting still comes from the file or the environment.
func Register(flags *pflag.FlagSet, serve bool) {
	flags.String(fileSetting, "", "YAML `file` with settings, by the names of the flags ("+envName(fileSetting)+")")
	register(flags, func(s *Setting) bool { return serve || !s.Serve })
}

// RegisterEtcd defines the flags that say where etcd is, for a command that is no server.
func RegisterEtcd(flags *pflag.FlagSet) {
	register(flags, func(s *Setting) bool { return s.Serve && strings.HasPrefix(s.Name, "etcd-") })
}

func register(flags *pflag.FlagSet, wanted func(*Setting) bool) {
	for _, s := range Settings() {
		if !wanted(&s) {
			continue
		}
		help := s.Help + " (" + s.Env() + ")"
		if len(s.Choices) > 0 {
			help += ": " + strings.Join(s.Choices, ", ")
		}
		flag := flags.VarPF(&flagValue{text: s.Default, kind: s.Kind()}, s.Name, "", help)
		if s.Kind() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
}

// flagValue keeps a flag as text: the table parses it, like the text of every other source.
type flagValue struct{ text, kind string }

func (v *flagValue) String() string        { return v.text }
func (v *flagValue) Set(text string) error { v.text = text; return nil }
func (v *flagValue) Type() string          { return v.kind }

// Load returns the settings in force for flags that [Register] defined and that are parsed, and for
// the environment as [os.Environ] gives it, with the source of each. An empty environment variable
// counts as absent. Errors: *Error with all faults of all sources.
func Load(flags *pflag.FlagSet, environ []string) (Config, []Value, error) {
	env := environment(environ)
	path, pathSource := filePath(flags, env)
	var faults []error
	file := map[string]entry{}
	if path != "" {
		var err error
		if file, err = readFile(path, pathSource); err != nil {
			faults = append(faults, err)
		}
	}
	for _, key := range unknown(file) {
		faults = append(faults, fmt.Errorf("%s: unknown setting %q%s", file[key].place, key, DidYouMean(key, names())))
	}
	var c Config
	values := []Value{{Name: fileSetting, Text: path, Source: pathSource}}
	for _, s := range Settings() {
		text, source := s.Default, "default"
		if e, ok := file[s.Name]; ok {
			text, source = e.text, "file "+e.place
		}
		if v, ok := env[s.Env()]; ok {
			text, source = v, "environment "+s.Env()
		}
		if f := flags.Lookup(s.Name); f != nil && f.Changed {
			text, source = f.Value.String(), "flag --"+s.Name
		}
		err := s.set(&c, text)
		if err == nil {
			err = s.validate(&c)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %s: %w", source, s.Name, err))
		}
		values = append(values, Value{Name: s.Name, Text: s.Text(&c), Source: source})
	}
	if len(faults) == 0 {
		faults = c.together()
	}
	if len(faults) > 0 {
		return Config{}, nil, &Error{Faults: faults}
	}
	return c, values, nil
}

// Unused returns a line for every environment variable that opens like one of the command's but is
// none, with the nearest name. They are not refused: a cluster sets variables by the name of a service.
func Unused(environ []string) []string {
	known := []string{envName(fileSetting), EnvPrefix + "KEY", EnvPrefix + "KEY_FILE"} // those of the client commands
	for _, s := range Settings() {
		known = append(known, s.Env())
	}
	var lines []string
	for name := range environment(environ) {
		if !slices.Contains(known, name) {
			lines = append(lines, fmt.Sprintf("environment variable %s is not a setting%s", name, DidYouMean(name, known)))
		}
	}
	slices.Sort(lines)
	return lines
}

// environment keeps the variables with the command's prefix and a value.
func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, variable := range environ {
		if name, value, ok := strings.Cut(variable, "="); ok && value != "" && strings.HasPrefix(name, EnvPrefix) {
			env[name] = value
		}
	}
	return env
}

// filePath returns the path of the settings file, empty without one, and who named it.
func filePath(flags *pflag.FlagSet, env map[string]string) (path, source string) {
	if f := flags.Lookup(fileSetting); f != nil && f.Changed {
		return f.Value.String(), "flag --" + fileSetting
	}
	if path, ok := env[envName(fileSetting)]; ok {
		return path, "environment " + envName(fileSetting)
	}
	return "", "default"
}

// names returns the keys that a file may have.
func names() []string {
	var all []string
	for _, s := range Settings() {
		all = append(all, s.Name)
	}
	return all
}

// unknown returns the keys of the file that are no settings, in the order of the file.
func unknown(file map[string]entry) []string {
	var keys []string
	for key := range file {
		if !slices.Contains(names(), key) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return file[a].line - file[b].line })
	return keys
}

// readFile reads the settings file that source named.
func readFile(path, source string) (map[string]entry, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > fileBytesMax {
		return nil, fmt.Errorf("%s: %d bytes are too many for a settings file: at most %d", path, info.Size(), fileBytesMax)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w (%s named it)", err, source)
	}
	return parseFile(path, text)
}
