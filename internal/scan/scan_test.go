package scan

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestNumberIsParseFloat(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	check := func(s string) {
		got, n := Number([]byte(s + ","))
		want, err := strconv.ParseFloat(s, 64)
		if err != nil && !math.IsInf(want, 0) {
			t.Fatalf("%s: %v", s, err)
		}
		if n != len(s) || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s: got %v (%d bytes), want %v", s, got, n, want)
		}
	}
	for _, s := range []string{"0", "-0", "0.1", "0.3", "121.2471234", "-0.0000001", "123456789012345", "1234567890123456", "0.123456789012345",
		"9007199254740993", "1e22", "1e23", "1E-7", "2.2250738585072011e-308", "1e400", "0.00000000000000000000001", "179.99999999999999"} {
		check(s)
	}
	for range 200_000 {
		s := strconv.FormatFloat((rnd.Float64()-0.5)*math.Pow(10, float64(rnd.IntN(12))), 'f', rnd.IntN(18), 64)
		check(s)
	}
	for _, s := range []string{"", "-", "01", "1.", ".1", "+1", "1e", "1e+", "-.5", "NaN", "Infinity", "0x1", "00"} {
		if v, n := Number([]byte(s + ",")); n == len(s) && s != "" {
			t.Errorf("%q was taken as %v", s, v)
		}
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]int{`"" `: 2, `"abc",`: 5, `"汉字"`: 8, ``: 0, `"`: 0, `"abc`: 0, `abc`: 0, `"a\\"b"`: 0, "\"a\nb\"": 0} {
		if got := Plain([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func TestValueEnd(t *testing.T) {
	for text, want := range map[string]int{`1,2`: 1, `"a,b",2`: 5, `{"a":[1,{"b":"}"}]},2`: 19, `[1,2]]`: 5, `"\\"",`: 4, `"\`: 2, ``: 0, `]`: 0} {
		if got := ValueEnd([]byte(text), 0); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}
