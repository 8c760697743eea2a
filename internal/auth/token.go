package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

// TokenKind is what a bearer of a secret is: three uses of one mechanism.
type TokenKind string

const (
	// Session is a person signed in, in a cookie.
	Session TokenKind = "session"
	// Device is a patrol's tablet, phone or vehicle, in an Authorization
	// header.
	Device TokenKind = "device"
	// Link is a read-only view for whoever has the link, as on a wall.
	Link TokenKind = "link"
)

// How long each kind lasts. A session also ends when it was not used for
// SessionIdle.
const (
	SessionLife   = 12 * time.Hour
	SessionIdle   = 60 * time.Minute
	DeviceLife    = 366 * 24 * time.Hour
	LinkLifeLimit = 366 * 24 * time.Hour
)

// Token is a secret that we gave out, of which only the hash is kept. ID is
// its public name.
type Token struct {
	ID           string       `json:"id"`
	Kind         TokenKind    `json:"kind"`
	Name         string       `json:"name"`
	Login        string       `json:"login,omitempty"` // of a session's account
	Role         Role         `json:"role"`
	Jurisdiction Jurisdiction `json:"jurisdiction"`
	Created      time.Time    `json:"created"`
	CreatedBy    string       `json:"created_by"`
	Expires      time.Time    `json:"expires"`
	LastSeen     time.Time    `json:"last_seen"`
	LastAddress  string       `json:"last_address"`
	Revoked      time.Time    `json:"revoked,omitzero"`
	Hash         string       `json:"-"` // hexadecimal SHA-256 of the secret
}

// prefixes let a leaked secret be recognised for what it is.
var prefixes = map[TokenKind]string{Session: "lqs_", Device: "lqd_", Link: "lql_"}

// NewSecret is a fresh secret of 256 random bits for a token of kind k.
func NewSecret(k TokenKind) string {
	return prefixes[k] + base64.RawURLEncoding.EncodeToString(randomBytes(32))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// HashSecret is what a Token keeps of its secret.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// LooksLikeSecret reports whether s could be one that NewSecret made.
func LooksLikeSecret(s string) bool {
	if len(s) != 4+43 {
		return false
	}
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// CSRFToken is what a page must send beside the session cookie to change
// anything: derived from the secret, which another site's page cannot read.
func CSRFToken(secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}

// Live reports whether t is good at now.
func (t *Token) Live(now time.Time) bool {
	if !t.Revoked.IsZero() || !now.Before(t.Expires) {
		return false
	}
	return t.Kind != Session || now.Sub(t.LastSeen) < SessionIdle
}
