package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"lianqin/internal/scan"
)

// Phones' JSON is read for what is in it: a field of another type than it
// should have is as good as none, and does not cost the rest.

// cannotRead says what err, of encoding/json, means to who sent the JSON.
func cannotRead(err error) string {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok:
		return "JSON that cannot be read: " + err.Error()
	case wrong.Field == "":
		return fmt.Sprintf("JSON that is no object but of type %s", wrong.Value)
	}
	return fmt.Sprintf("%s is of type %s, and has to be an object", wrong.Field, wrong.Value)
}

// number is a JSON number, also one in quotes; anything else is NaN.
type number struct {
	v     float64
	given bool
}

// UnmarshalJSON never fails.
func (n *number) UnmarshalJSON(b []byte) error {
	if len(b) > 2 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	v, length := scan.Number(b)
	n.v, n.given = v, length > 0 && length == len(b)
	return nil
}

// or is the number, or NaN.
func (n number) orNaN() float64 {
	if !n.given {
		return math.NaN()
	}
	return n.v
}

// text is a JSON string, or the digits of a number; anything else is empty.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	if _, n := scan.Number(b); n == len(b) {
		*t = text(b)
	}
	return nil
}

// yes is true, or false with all else.
type yes bool

// UnmarshalJSON never fails.
func (f *yes) UnmarshalJSON(b []byte) error {
	*f = string(b) == "true" || string(b) == "1" || string(b) == `"true"`
	return nil
}
