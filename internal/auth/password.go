package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"lianqin/internal/fault"
)

// The cost of a password hash: OWASP's second choice for argon2id (19 MiB, two
// passes, one lane), some 10 to 20 ms of one core.
const (
	hashMemoryKiB = 19 * 1024
	hashPasses    = 2
	hashLanes     = 1
	hashBytes     = 32
	saltBytes     = 16
)

// Passwords are at least this many characters, and at most so many bytes.
const (
	MinPassword = 10
	MaxPassword = 256
)

// CheckPassword is Invalid when a new password is too short, too long, or no
// more than the login repeated.
func CheckPassword(login, password string) error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return fault.InvalidField("password", "needs at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return fault.InvalidField("password", "is longer than %d bytes", MaxPassword)
	case login != "" && strings.Trim(strings.ToLower(password), "0123456789!@#$. ") == strings.ToLower(login):
		return fault.InvalidField("password", "is little more than the login")
	}
	return nil
}

// Hash is the argon2id hash of password in PHC form. It waits for a slot, as
// Matches does.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	key, err := h.key(ctx, hashJob{password, salt, hashMemoryKiB, hashPasses, hashLanes})
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		hashMemoryKiB, hashPasses, hashLanes, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Matches reports whether hash was made of password. An empty or unreadable
// hash matches nothing and takes as long, so that nobody learns which logins
// exist. It waits for a slot; *TooMany when ctx ends first, or many wait.
func (h *Hasher) Matches(ctx context.Context, hash, password string) (bool, error) {
	memory, passes, lanes, salt, want, ok := parseHash(hash)
	if !ok {
		memory, passes, lanes, salt, want = hashMemoryKiB, hashPasses, hashLanes, make([]byte, saltBytes), nil
	}
	got, err := h.key(ctx, hashJob{password, salt, memory, passes, lanes})
	if err != nil {
		return false, err
	}
	return ok && subtle.ConstantTimeCompare(got, want) == 1, nil
}

// parseHash reads a PHC string; parameters beyond four times ours are refused,
// as a row may come from elsewhere.
func parseHash(s string) (memory, passes uint32, lanes uint8, salt, key []byte, ok bool) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); n != 3 || err != nil {
		return
	}
	if memory == 0 || memory > 4*hashMemoryKiB || passes == 0 || passes > 4*hashPasses || lanes == 0 || lanes > 4 {
		return
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	return memory, passes, lanes, salt, key, err == nil && len(key) == hashBytes
}
