package wire

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var errTime = errors.New("not an ISO 8601 date and time with a time zone")

// ParseTime reads a DateTime as OB 2.0 section "DateTime" wants it: ISO 8601
// with a time zone. The extended and the compact form, week and ordinal dates,
// fractions, hour 24, and the zones Z, ±hh:mm, ±hhmm and ±hh are accepted; a
// date alone, a time without zone, a space for the T, lower-case letters and a
// leap second are not. The result is in UTC.
func ParseTime(s string) (time.Time, error) {
	date, clock, ok := strings.Cut(s, "T")
	if !ok {
		return time.Time{}, errTime
	}
	day, err := parseDate(date)
	if err != nil {
		return time.Time{}, err
	}
	clock, offset, err := cutZone(clock)
	if err != nil {
		return time.Time{}, err
	}
	since, err := parseClock(clock)
	if err != nil {
		return time.Time{}, err
	}
	t := day.Add(since - offset)
	if t.Year() < 1 || t.Year() > 9999 { // could not be written again
		return time.Time{}, errTime
	}
	return t, nil
}

// digits reads exactly n ASCII digits.
func digits(s string, n int) (value int, rest string, ok bool) {
	if len(s) < n {
		return 0, s, false
	}
	for _, c := range []byte(s[:n]) {
		if c < '0' || c > '9' {
			return 0, s, false
		}
		value = value*10 + int(c-'0')
	}
	return value, s[n:], true
}

func parseDate(s string) (time.Time, error) {
	year, rest, ok := digits(s, 4)
	if !ok || year == 0 {
		return time.Time{}, errTime
	}
	extended := strings.HasPrefix(rest, "-")
	rest = strings.TrimPrefix(rest, "-")
	if week, ok := strings.CutPrefix(rest, "W"); ok {
		return weekDate(year, week, extended)
	}
	if len(rest) == 3 { // ordinal
		n, _, ok := digits(rest, 3)
		day := time.Date(year, 1, n, 0, 0, 0, 0, time.UTC)
		if !ok || n == 0 || day.Year() != year {
			return time.Time{}, errTime
		}
		return day, nil
	}
	month, rest, ok := digits(rest, 2)
	if !ok {
		return time.Time{}, errTime
	}
	if extended {
		if rest, ok = strings.CutPrefix(rest, "-"); !ok {
			return time.Time{}, errTime
		}
	}
	d, rest, ok := digits(rest, 2)
	day := time.Date(year, time.Month(month), d, 0, 0, 0, 0, time.UTC)
	// time.Date rolls 30 February over; then the parts no longer agree.
	if !ok || rest != "" || day.Month() != time.Month(month) || day.Day() != d {
		return time.Time{}, errTime
	}
	return day, nil
}

func weekDate(year int, s string, extended bool) (time.Time, error) {
	week, rest, ok := digits(s, 2)
	if ok && extended {
		rest, ok = strings.CutPrefix(rest, "-")
	}
	weekday, rest, ok2 := digits(rest, 1)
	if !ok || !ok2 || rest != "" || week < 1 || weekday < 1 || weekday > 7 {
		return time.Time{}, errTime
	}
	jan4 := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC) // is always in week 1
	monday := jan4.AddDate(0, 0, -(int(jan4.Weekday())+6)%7)
	day := monday.AddDate(0, 0, (week-1)*7+weekday-1)
	if y, w := day.ISOWeek(); y != year || w != week {
		return time.Time{}, errTime
	}
	return day, nil
}

func cutZone(s string) (clock string, offset time.Duration, err error) {
	if clock, ok := strings.CutSuffix(s, "Z"); ok {
		return clock, 0, nil
	}
	i := strings.LastIndexAny(s, "+-")
	if i < 0 {
		return "", 0, errTime
	}
	zone := s[i+1:]
	hour, rest, ok := digits(zone, 2)
	minute := 0
	if ok && rest != "" {
		minute, rest, ok = digits(strings.TrimPrefix(rest, ":"), 2)
	}
	if !ok || rest != "" || hour > 23 || minute > 59 {
		return "", 0, errTime
	}
	offset = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	if s[i] == '-' {
		offset = -offset
	}
	return s[:i], offset, nil
}

func parseClock(s string) (time.Duration, error) {
	s, fraction, hasFraction := cutFraction(s)
	hour, rest, ok := digits(s, 2)
	parts := [3]int{hour}
	unit := time.Hour
	extended := strings.HasPrefix(rest, ":")
	for i := 1; ok && rest != "" && i < 3; i++ {
		if extended {
			if rest, ok = strings.CutPrefix(rest, ":"); !ok {
				break
			}
		}
		parts[i], rest, ok = digits(rest, 2)
		unit /= 60
	}
	if !ok || rest != "" || parts[0] > 24 || parts[1] > 59 || parts[2] > 59 {
		return 0, errTime
	}
	since := time.Duration(parts[0])*time.Hour + time.Duration(parts[1])*time.Minute + time.Duration(parts[2])*time.Second
	if hasFraction {
		since += time.Duration(fraction * float64(unit))
	}
	if since > 24*time.Hour {
		return 0, errTime
	}
	return since, nil
}

func cutFraction(s string) (whole string, fraction float64, has bool) {
	i := strings.IndexAny(s, ".,")
	if i < 0 {
		return s, 0, false
	}
	f, err := strconv.ParseFloat("0."+s[i+1:], 64)
	if err != nil || len(s)-i < 2 || strings.Trim(s[i+1:], "0123456789") != "" {
		return "", 0, false // the empty clock is refused by the caller
	}
	return s[:i], f, true
}
