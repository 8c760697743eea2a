package casework

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fill gives everything in v a value that is not zero, each another.
func fill(v reflect.Value, n *int) {
	*n++
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.UnixMilli(1_700_000_000_123 + int64(*n)).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("名 \"%d\" \\ <&> \n", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.1)
	case reflect.Uint16:
		v.SetUint(uint64(Verified | Checked)) // an overlay
	case reflect.Uint32:
		v.SetUint(uint64(*n))
	default:
		v.SetInt(int64(*n))
	}
}

// TestEveryFieldIsWritten has an entry with all that an entry can have, so that
// a field that is added and not written is found out.
func TestEveryFieldIsWritten(t *testing.T) {
	var full Entry
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n)
	for name, want := range map[string][]Entry{
		"full":  {full, full},
		"empty": {{}},
		"none":  {},
		"bad":   {{By: Actor{ID: "\xff\x00"}}},
	} {
		text, err := AppendEntries(nil, want)
		if err != nil {
			t.Fatal(name, err)
		}
		usual, err := json.Marshal(want)
		if err != nil {
			t.Fatal(name, err)
		}
		var got, as []Entry
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if err := json.Unmarshal(usual, &as); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(as, got); diff != "" {
			t.Errorf("%s (-encoding/json +ours):\n%s", name, diff)
		}
	}
}
