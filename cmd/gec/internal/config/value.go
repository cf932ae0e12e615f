package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EnvPrefix opens the name of every environment variable that the command reads.
const EnvPrefix = "GEC_"

// Env returns the name of the setting's environment variable, such as GEC_LOG_LEVEL.
func (s *Setting) Env() string { return envName(s.Name) }

func envName(setting string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// Kind returns the kind of value, for help texts: string, bool, int, number or duration.
func (s *Setting) Kind() string {
	switch s.field(new(Config)).(type) {
	case *bool:
		return "bool"
	case *int:
		return "int"
	case *float64:
		return "number"
	case *time.Duration:
		return "duration"
	}
	return "string"
}

// set parses the text into the setting's field. The error says what would be right; bounds and
// choices are those of [Config.Validate].
func (s *Setting) set(c *Config, text string) error {
	switch field := s.field(c).(type) {
	case *string:
		*field = text
	case *bool:
		value, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		*field = value
	case *int:
		value, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is no whole number: use %s to %s", text, s.Min, s.Max)
		}
		*field = value
	case *float64:
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is no number: use %s to %s", text, s.Min, s.Max)
		}
		*field = value
	case *time.Duration:
		value, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is no duration: write a number and a unit, as in 500ms, 30s or 5m", text)
		}
		*field = value
	}
	return nil
}

// Text returns the value that the setting has in c, as it would be written.
func (s *Setting) Text(c *Config) string {
	switch field := s.field(c).(type) {
	case *bool:
		return strconv.FormatBool(*field)
	case *int:
		return strconv.Itoa(*field)
	case *float64:
		return strconv.FormatFloat(*field, 'f', -1, 64)
	case *time.Duration:
		return field.String()
	case *string:
		return *field
	}
	return ""
}

// Validate holds every setting to its bounds and choices, and those that need each other together, and returns
// all faults, joined.
func (c *Config) Validate() error {
	var faults []error
	for _, s := range Settings() {
		if err := s.validate(c); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.Name, err))
		}
	}
	return errors.Join(append(faults, c.together()...)...)
}

func (s *Setting) validate(c *Config) error {
	switch field := s.field(c).(type) {
	case *string:
		if *field == "" {
			return errors.New("is empty")
		}
		if len(s.Choices) > 0 && !slices.Contains(s.Choices, *field) {
			return fmt.Errorf("%q is none of %s", *field, strings.Join(s.Choices, ", "))
		}
	case *int:
		low, high, err := bounds(s, strconv.Atoi)
		if err != nil || *field < low || *field > high {
			return fmt.Errorf("%d is out of bounds: use %s to %s", *field, s.Min, s.Max)
		}
	case *float64:
		low, high, err := bounds(s, func(text string) (float64, error) { return strconv.ParseFloat(text, 64) })
		if err != nil || !(*field >= low && *field <= high) { // neither holds of what is no number
			return fmt.Errorf("%v is out of bounds: use %s to %s", *field, s.Min, s.Max)
		}
	case *time.Duration:
		low, high, err := bounds(s, time.ParseDuration)
		if err != nil || *field < low || *field > high {
			return fmt.Errorf("%s is out of bounds: use %s to %s", *field, s.Min, s.Max)
		}
	}
	return nil
}

// bounds parses the bounds of the table; a test holds that they parse.
func bounds[T any](s *Setting, parse func(string) (T, error)) (low, high T, err error) {
	low, lowErr := parse(s.Min)
	high, highErr := parse(s.Max)
	return low, high, errors.Join(lowErr, highErr)
}
