package casework

import (
	"fmt"
	"strings"
	"time"

	"lianqin/internal/fault"
)

// Span is a part [From, To) of a day, as time since midnight.
type Span struct{ From, To time.Duration }

// Hours are the working hours of every working day, in order and apart from
// one another.
type Hours []Span

// UsualHours are those of the district's offices unless it sets others: eight
// hours, with a break at noon.
const UsualHours = "08:30-11:30,13:00-18:00"

// ParseHours reads "08:30-11:30,13:00-18:00". It is Invalid when a time is
// none, a span is empty, or two spans overlap or are out of order.
func ParseHours(s string) (Hours, error) {
	var h Hours
	last := time.Duration(0)
	for part := range strings.SplitSeq(s, ",") {
		from, to, _ := strings.Cut(strings.TrimSpace(part), "-")
		a, errA := parseClock(from)
		b, errB := parseClock(to)
		if errA != nil || errB != nil {
			return nil, fault.InvalidField("hours", "%q is not of the form 08:30-11:30", part)
		}
		if a < last || b <= a {
			return nil, fault.InvalidField("hours", "%q is empty, or begins before the span before it ends", part)
		}
		h, last = append(h, Span{a, b}), b
	}
	return h, nil
}

func parseClock(s string) (time.Duration, error) {
	if s == "24:00" {
		return 24 * time.Hour, nil
	}
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err
}

func (h Hours) String() string {
	parts := make([]string, len(h))
	for i, s := range h {
		parts[i] = fmt.Sprintf("%s-%s", clockText(s.From), clockText(s.To))
	}
	return strings.Join(parts, ",")
}

func clockText(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// Day is the length of a working day.
func (h Hours) Day() time.Duration {
	var sum time.Duration
	for _, s := range h {
		sum += s.To - s.From
	}
	return sum
}

// until is how much of a working day has passed at t after midnight.
func (h Hours) until(t time.Duration) time.Duration {
	var sum time.Duration
	for _, s := range h {
		sum += max(min(t, s.To)-s.From, 0)
	}
	return sum
}

// after is the earliest time after midnight when worked, in (0, Day], has
// passed.
func (h Hours) after(worked time.Duration) time.Duration {
	for _, s := range h {
		if length := s.To - s.From; worked <= length {
			return s.From + worked
		} else {
			worked -= length
		}
	}
	return h[len(h)-1].To
}
