package migrations

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// TestStepsAreNumberedWithoutGaps, since a database that has passed a number
// never takes a step of a lower one; and both dialects have the same steps.
func TestStepsAreNumberedWithoutGaps(t *testing.T) {
	var names [2][]string
	for i, dialect := range []string{"sqlite", "postgres"} {
		entries, err := fs.ReadDir(FS, dialect)
		if err != nil {
			t.Fatal(err)
		}
		for n, e := range entries {
			if want := fmt.Sprintf("%05d_", n+1); !strings.HasPrefix(e.Name(), want) {
				t.Errorf("%s/%s is not numbered %s", dialect, e.Name(), want)
			}
			names[i] = append(names[i], e.Name())
		}
	}
	if a, b := strings.Join(names[0], "\n"), strings.Join(names[1], "\n"); a != b {
		t.Errorf("the dialects have other steps:\n%s\n\n%s", a, b)
	}
}
