package geofile

import (
	"flag"
	"strings"
	"testing"

	"lianqin/internal/fault"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// mustBeInvalid holds err to be a fault.Invalid that says want.
func mustBeInvalid(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", want)
	}
	if kind := fault.KindOf(err); kind != fault.Invalid {
		t.Errorf("error %v is %v, want invalid", err, kind)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
}
