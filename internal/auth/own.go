package auth

import (
	"context"

	"lianqin/internal/fault"
)

// ChangePassword gives by's own account another password, and ends its other
// sessions. It is Denied without the old password, a Conflict for who is no
// person, *TooMany after too many wrong ones, and Invalid when the new one will
// not do.
func (g *Gate) ChangePassword(ctx context.Context, by Caller, old, new string) error {
	if by.Token == nil || by.Token.Kind != Session {
		return fault.New(fault.Conflict, "%s has no password", by.Name)
	}
	login := by.Token.Login
	_, ok, err := g.prove(ctx, login, old, by.Address)
	if err != nil {
		return err
	}
	if !ok {
		return &fault.Error{Kind: fault.Denied, Field: "old", Msg: "is not the password"}
	}
	hash, err := g.HashPassword(ctx, login, new)
	if err != nil {
		return err
	}
	return g.SetAccount(ctx, by, login, func(a *Account) error {
		a.PasswordHash = hash
		return nil
	})
}
