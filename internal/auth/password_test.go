package auth

import (
	"context"
	"errors"
	"testing"
)

func TestPasswordHash(t *testing.T) {
	ctx := context.Background()
	h := NewHasher(1, nil)
	hash, err := h.Hash(ctx, "春风十里不如你 2026")
	if err != nil {
		t.Fatal(err)
	}
	other, err := h.Hash(ctx, "春风十里不如你 2026")
	if err != nil || other == hash {
		t.Errorf("two hashes of one password are alike (%v)", err)
	}
	for _, tt := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"the password", hash, "春风十里不如你 2026", true},
		{"another", hash, "春风十里不如你 2027", false},
		{"no hash", "", "", false},
		{"a hash of unbounded cost", "$argon2id$v=19$m=4000000000,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "x", false},
		{"another scheme", "$2a$10$abcdefghijklmnopqrstuv", "x", false},
		{"a cut hash", hash[:len(hash)-4], "春风十里不如你 2026", false},
	} {
		if got, err := h.Matches(ctx, tt.hash, tt.password); got != tt.want || err != nil {
			t.Errorf("%s: got %v, %v", tt.name, got, err)
		}
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	<-h.slots
	if _, err := h.Matches(done, hash, "x"); !isBusy(err) {
		t.Errorf("while all slots are taken: got %v", err)
	}
}

func isBusy(err error) bool {
	many, ok := errors.AsType[*TooMany](err)
	return ok && many.Busy && many.Wait > 0
}

func TestCheckPassword(t *testing.T) {
	for password, ok := range map[string]bool{
		"":                      false,
		"short":                 false,
		"lihua2026!!":           false,
		"correct horse battery": true,
		"十个汉字也可以作为密码":           true,
	} {
		if err := CheckPassword("lihua", password); (err == nil) != ok {
			t.Errorf("%q: got %v", password, err)
		}
	}
}

func TestSecrets(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range []TokenKind{Session, Device, Link} {
		s := NewSecret(k)
		if !LooksLikeSecret(s) || seen[s] || HashSecret(s) == HashSecret(NewSecret(k)) {
			t.Errorf("%s: %q", k, s)
		}
		seen[s] = true
	}
	for _, s := range []string{"", "lqs_", "lqx_" + NewSecret(Session)[4:], NewSecret(Session) + "x"} {
		if LooksLikeSecret(s) {
			t.Errorf("%q looks like a secret", s)
		}
	}
}
