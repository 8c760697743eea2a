package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestKindAndFieldSurviveWrapping(t *testing.T) {
	inner := InvalidField("lon", "%q is not a number", "abc")
	err := fmt.Errorf("row 7: %w", inner)
	if got := KindOf(err); got != Invalid {
		t.Errorf("KindOf = %v, want invalid", got)
	}
	if got := FieldOf(New(NotFound, "grid: %w", err)); got != "lon" {
		t.Errorf("FieldOf through a kind without a field = %q, want lon", got)
	}
	if got, want := err.Error(), `row 7: lon: "abc" is not a number`; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if got := KindOf(io.EOF); got != Internal {
		t.Errorf("KindOf(io.EOF) = %v, want internal", got)
	}
	if !errors.Is(New(Unavailable, "disk: %w", io.ErrShortWrite), io.ErrShortWrite) {
		t.Error("New does not wrap its cause")
	}
}
