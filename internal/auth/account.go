package auth

import (
	"regexp"
	"time"
	"unicode/utf8"

	"lianqin/internal/fault"
)

// Account is a person's. PasswordHash is empty for one who signs in through
// OpenID Connect only, whose Subject is then "issuer subject".
type Account struct {
	Login        string       `json:"login"`
	Name         string       `json:"name"`
	Role         Role         `json:"role"`
	Jurisdiction Jurisdiction `json:"jurisdiction"`
	Subject      string       `json:"subject,omitempty"`
	Disabled     bool         `json:"disabled"`
	Created      time.Time    `json:"created"`
	Changed      time.Time    `json:"changed"`
	PasswordHash string       `json:"-"`
}

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,63}$`)

// Check is Invalid, naming the field, when a could not be used.
func (a *Account) Check() error {
	if !loginForm.MatchString(a.Login) {
		return fault.InvalidField("login", "%q is not 2 to 64 of a–z, 0–9, dot, dash and underscore", a.Login)
	}
	if n := utf8.RuneCountInString(a.Name); n == 0 || n > 64 {
		return fault.InvalidField("name", "needs 1 to 64 characters")
	}
	if _, err := ParseRole(string(a.Role)); err != nil {
		return err
	}
	if a.Role == PatrolDevice {
		return fault.InvalidField("role", "devices have tokens, not accounts")
	}
	return a.Jurisdiction.Check()
}
