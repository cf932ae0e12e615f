package format

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"gec/bundles"
	"gec/engine"
)

// The values of cells: how each is read, and written.

// cents takes the amount of a cell, in the unit of its column.
func (r *csvReader) cents(c csvCell) int64 {
	cents, reason, fix := r.amount(c.text)
	if reason != "" {
		r.fault(c.at, bundles.Excerpt(c.text)+" "+reason, fix)
	}
	return cents
}

func (r *csvReader) amount(text string) (cents int64, reason, fix string) {
	if !r.inCents[r.here] {
		return parseAmount(text)
	}
	literal := strings.TrimSpace(text)
	if !wholeLiteral(literal) {
		return 0, "is no whole number of cents", "write 150 for 1.50 €, or call the column by its name alone and write euro"
	}
	cents, err := strconv.ParseInt(literal, 10, 64)
	if err != nil {
		return 0, "is too large", "use at most 9223372036854775807"
	}
	return cents, "", ""
}

// parseAmount reads an amount in euro as people write it, exactly: "1,50", "1.50", "12", "€ 1.234,50",
// "1,234.50 €". A single separator with three digits after it may be of thousands as well as of decimals
// and is refused. The reason is empty for an amount.
func parseAmount(text string) (cents int64, reason, fix string) {
	const usual = "write euro with two decimals, as in 1,50 or 1.50"
	isSpace := func(r rune) bool { return r == ' ' || r == '\u00A0' || r == '\u202F' }
	literal := strings.TrimFunc(text, isSpace)
	if bare, found := strings.CutPrefix(literal, "€"); found {
		literal = strings.TrimLeftFunc(bare, isSpace)
	} else if bare, found := strings.CutSuffix(literal, "€"); found {
		literal = strings.TrimRightFunc(bare, isSpace)
	}
	digits, negative := strings.CutPrefix(literal, "-")
	whole, fraction, reason := splitAmount(digits)
	if reason != "" {
		return 0, reason, usual
	}
	magnitude, err := strconv.ParseUint(whole+(fraction + "00")[:2], 10, 64)
	switch {
	case err != nil || magnitude > math.MaxInt64 && !(negative && magnitude == 1<<63):
		return 0, "is too large", "use at most 92233720368547758.07"
	case negative:
		return -int64(magnitude), "", ""
	}
	return int64(magnitude), "", ""
}

// splitAmount splits digits at the decimal separator and takes out those of thousands.
func splitAmount(digits string) (whole, fraction, reason string) {
	at := strings.LastIndexAny(digits, ".,")
	if at < 0 {
		at = len(digits)
	} else {
		fraction = digits[at+1:]
		if fraction == "" {
			return "", "", "is no amount"
		}
	}
	whole = digits[:at]
	if strings.ContainsAny(whole, ".,") {
		groups := strings.FieldsFunc(whole, func(r rune) bool { return r == '.' || r == ',' })
		thousands := ","
		if digits[at] == ',' {
			thousands = "."
		}
		if strings.Join(groups, thousands) != whole || len(groups[0]) > 3 {
			return "", "", "is no amount"
		}
		for _, group := range groups[1:] {
			if len(group) != 3 {
				return "", "", "is no amount"
			}
		}
		whole = strings.Join(groups, "")
	}
	switch {
	case whole == "" || strings.Trim(whole+fraction, "0123456789") != "":
		return "", "", "is no amount"
	case len(fraction) == 3:
		return "", "", "may be thousands of euro or fractions of a cent"
	case len(fraction) > 2:
		return "", "", "has fractions of a cent"
	}
	return whole, fraction, ""
}

// amountText writes cents in euro with two decimals and the comma of Italian spreadsheets.
func amountText(cents int64) string {
	const perEuro = 100
	sign, magnitude := "", uint64(cents)
	if cents < 0 {
		sign, magnitude = "-", -magnitude
	}
	return fmt.Sprintf("%s%d,%02d", sign, magnitude/perEuro, magnitude%perEuro)
}

func takeCSVType(r *csvReader, b *bundleDraft, c csvCell) {
	t, err := engine.ParseBundleType(strings.ToUpper(strings.TrimSpace(c.text)))
	if err != nil {
		r.fault(c.at, bundles.Excerpt(c.text)+" is no type of bundle", "use GLOBAL, PUBLIC or PRIVATE")
	}
	b.Type = t
}

// truth takes true or false, in English or Italian, as a number, or as a word of agreement.
func (r *csvReader) truth(c csvCell) bool {
	switch strings.ToLower(strings.TrimSpace(c.text)) {
	case "true", "vero", "1", "yes", "si", "sì":
		return true
	case "false", "falso", "0", "no":
		return false
	}
	r.fault(c.at, bundles.Excerpt(c.text)+" is neither true nor false", "write true or false")
	return false
}

// date takes 2026-11-21, and 21/11/2026 as Italian spreadsheets write it.
func (r *csvReader) date(c csvCell) engine.Date {
	text := strings.TrimSpace(c.text)
	if day, rest, found := strings.Cut(text, "/"); found {
		month, year, _ := strings.Cut(rest, "/")
		text = year + "-" + twoDigits(month) + "-" + twoDigits(day)
	}
	date, err := engine.ParseDate(text)
	if err != nil {
		r.fault(c.at, bundles.Excerpt(c.text)+" is no date", "write year-month-day, as in 2026-11-21, or day/month/year")
	}
	return date
}

func twoDigits(number string) string {
	if len(number) == 1 {
		return "0" + number
	}
	return number
}

// takeBasisPoints takes hundredths of a percent, or a percentage with its sign.
func takeBasisPoints(r *csvReader, b *bundleDraft, c csvCell) {
	points, reason := parseBasisPoints(c.text)
	if reason != "" {
		r.fault(c.at, bundles.Excerpt(c.text)+" "+reason, "write whole hundredths of a percent, as in 150, or the percentage, as in 1,5 %")
	}
	b.ownFee().BasisPoints = points
}

func parseBasisPoints(text string) (points int64, reason string) {
	literal := strings.TrimSpace(text)
	if percent, found := strings.CutSuffix(literal, "%"); found {
		points, reason, _ = parseAmount(strings.TrimSpace(percent))
		return points, strings.ReplaceAll(reason, "of a cent", "of a hundredth of a percent")
	}
	points, err := strconv.ParseInt(literal, 10, 64)
	if !wholeLiteral(literal) || err != nil {
		return 0, "is no whole number"
	}
	return points, ""
}

func basisPointsText(points int64) string {
	if points == 0 {
		return ""
	}
	return strconv.FormatInt(points, 10)
}

func takeCSVSteps(r *csvReader, b *bundleDraft, c csvCell) {
	steps, reason, fix := parseSteps(c.text, r.amount)
	if reason != "" {
		r.fault(c.at, reason, fix)
	}
	b.ownFee().Steps = steps
}

// parseSteps reads the steps of a fee (F2): "50,00:1,00|100,00:1,50|*:2,00" asks 1 € up to 50 €, 1.50 € up
// to 100 € and 2 € above. A step's fee may have more parts than a flat amount, each after a plus sign:
// "*:0,50+perNotice=0,10+bps=25+min=0,60+max=9,00".
func parseSteps(text string, amount func(string) (int64, string, string)) (steps []engine.FeeStep, reason, fix string) {
	const usual = "write 50,00:1,00|100,00:1,50|*:2,00 for 1 € up to 50 €, 1.50 € up to 100 € and 2 € above"
	if strings.Count(text, "|") >= stepsMax {
		return nil, "has too many steps", fmt.Sprintf("use at most %d", stepsMax)
	}
	for part := range strings.SplitSeq(text, "|") {
		upTo, fee, found := strings.Cut(part, ":")
		if !found {
			return nil, bundles.Excerpt(part) + " is no step", usual
		}
		var step engine.FeeStep
		if strings.TrimSpace(upTo) != "*" {
			value, reason, fix := amount(upTo)
			if reason != "" {
				return nil, bundles.Excerpt(upTo) + " " + reason, fix
			}
			step.UpToCents = &value
		}
		if reason, fix = parseStepFee(&step.Fee, fee, amount); reason != "" {
			return nil, reason, fix
		}
		steps = append(steps, step)
	}
	return steps, "", ""
}

func parseStepFee(f *engine.Fee, text string, amount func(string) (int64, string, string)) (reason, fix string) {
	for i, part := range strings.Split(text, "+") {
		name, value, named := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		if named && name == "bps" {
			if f.BasisPoints, reason = parseBasisPoints(value); reason != "" {
				return bundles.Excerpt(value) + " " + reason, "write whole hundredths of a percent, as in 150"
			}
			continue
		}
		if !named {
			value = part
		}
		cents, reason, fix := amount(value)
		if reason != "" {
			return bundles.Excerpt(value) + " " + reason, fix
		}
		switch {
		case !named && i == 0:
			f.FlatCents = cents
		case named && name == "perNotice":
			f.PerNoticeCents = cents
		case named && name == "min":
			f.MinCents = &cents
		case named && name == "max":
			f.MaxCents = &cents
		default:
			return bundles.Excerpt(part) + " is no part of a step's fee", "use perNotice=, bps=, min= or max= after the flat amount"
		}
	}
	return "", ""
}

func stepsText(steps []engine.FeeStep) (string, error) {
	parts := make([]string, len(steps))
	for i := range steps {
		step, upTo := &steps[i], "*"
		if step.UpToCents != nil {
			upTo = amountText(*step.UpToCents)
		}
		if len(step.Fee.Steps) > 0 {
			return "", errors.New("has steps within steps")
		}
		parts[i] = upTo + ":" + amountText(step.Fee.FlatCents)
		if cents := step.Fee.PerNoticeCents; cents != 0 {
			parts[i] += "+perNotice=" + amountText(cents)
		}
		if points := step.Fee.BasisPoints; points != 0 {
			parts[i] += "+bps=" + basisPointsText(points)
		}
		if step.Fee.MinCents != nil {
			parts[i] += "+min=" + amountText(*step.Fee.MinCents)
		}
		if step.Fee.MaxCents != nil {
			parts[i] += "+max=" + amountText(*step.Fee.MaxCents)
		}
	}
	return strings.Join(parts, "|"), nil
}

// betweenCodes reports what stands between taxonomy codes.
func betweenCodes(r rune) bool { return r == '|' || r == ' ' || r == '\n' || r == '\t' || r == '\r' }

func takeCSVCategories(_ *csvReader, b *bundleDraft, c csvCell) {
	for _, code := range strings.FieldsFunc(c.text, betweenCodes) {
		b.TransferCategories = append(b.TransferCategories, engine.BareCategory(code))
	}
}

func categoriesText(b *bundles.Bundle) (string, error) {
	for _, code := range b.TransferCategories {
		if code == "" || strings.ContainsFunc(code, betweenCodes) {
			return "", fmt.Errorf("has the taxonomy code %s", bundles.Excerpt(code))
		}
	}
	return strings.Join(b.TransferCategories, " "), nil
}

// The words for a schedule that never holds, and for a time band on no day: no check lets them through,
// but what cannot be stored can be written and mended.
const (
	neverWord = "NEVER"
	noDayWord = "NONE"
)

func takeCSVSchedule(r *csvReader, b *bundleDraft, c csvCell) {
	b.Schedule = engine.Schedule{}
	text := strings.ToUpper(strings.TrimSpace(c.text))
	if text == neverWord {
		return
	}
	for part := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		band, err := parseTimeBand(part)
		if err != nil || len(b.Schedule) == stepsMax {
			r.fault(c.at, bundles.Excerpt(strings.TrimSpace(part))+" is no time band", "write days and hours, as in MON,TUE 08:00-20:00; SAT 22:00-06:00")
			return
		}
		b.Schedule = append(b.Schedule, band)
	}
}

// parseTimeBand reads "MON,TUE 08:00-20:00"; days may be Italian, too.
func parseTimeBand(text string) (band engine.TimeBand, err error) {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return band, errors.New("has no days or no hours")
	}
	for day := range strings.SplitSeq(strings.Join(fields[:len(fields)-1], ""), ",") {
		if day == noDayWord {
			continue
		}
		number, err := engine.ParseWeekday(englishDay(day))
		if err != nil {
			return band, err
		}
		band.Days |= 1 << number
	}
	from, to, _ := strings.Cut(fields[len(fields)-1], "-")
	if band.FromMinute, err = engine.ParseMinute(from); err != nil {
		return band, err
	}
	band.ToMinute, err = engine.ParseMinute(to)
	return band, err
}

func englishDay(day string) string {
	for i, italian := range [...]string{"LUN", "MAR", "MER", "GIO", "VEN", "SAB", "DOM"} {
		if day == italian {
			return engine.WeekdayName(i + 1)
		}
	}
	return day
}

func scheduleText(s engine.Schedule) string {
	if s == nil {
		return ""
	}
	if len(s) == 0 {
		return neverWord
	}
	bands := make([]string, len(s))
	for i, band := range s {
		bands[i] = strings.TrimSpace(engine.Schedule{band}.String())
		if band.Days&engine.EveryDay == 0 {
			bands[i] = noDayWord + " " + bands[i]
		}
	}
	return strings.Join(bands, "; ")
}
