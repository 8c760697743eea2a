package store

import (
	"bytes"
	"testing"

	"lianqin/internal/store/storetest"
)

func TestKeyIsTheSameForEverybody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		one, two := open(t, url), open(t, url)
		key, err := one.Key(t.Context(), "terminals")
		if err != nil || len(key) != keyBytes {
			t.Fatalf("%d bytes, %v", len(key), err)
		}
		again, err := two.Key(t.Context(), "terminals")
		if err != nil || !bytes.Equal(again, key) {
			t.Errorf("another process got another key: %x, %x, %v", again, key, err)
		}
		if other, err := two.Key(t.Context(), "links"); err != nil || bytes.Equal(other, key) {
			t.Errorf("the key for another purpose: %x, %v", other, err)
		}
	})
}
