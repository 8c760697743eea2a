// Package fault names the kinds of failure that the rest of the program tells
// apart. It knows nothing of HTTP or SQL: httpapi maps a Kind to a status,
// store maps a driver's code to a Kind.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what the caller can do about a failure.
type Kind uint8

const (
	// Internal is a failure nobody declared: a bug, or a dependency's surprise.
	Internal Kind = iota
	// Invalid input: the same call fails again until the caller changes it.
	Invalid
	// NotFound: the thing named does not exist, or not for this caller.
	NotFound
	// Conflict: the call lost against another, or the state moved on.
	Conflict
	// Denied: the caller may not do this.
	Denied
	// Unavailable is our own outage; the same call may succeed later.
	Unavailable
)

var names = [...]string{"internal", "invalid", "not-found", "conflict", "denied", "unavailable"}

func (k Kind) String() string { return names[k] }

// Error is a failure of a declared kind. Field names the parameter, column or
// property at fault, and is empty when there is none.
type Error struct {
	Kind  Kind
	Field string
	Msg   string
	Err   error
}

func (e *Error) Error() string {
	msg := e.Msg
	if e.Field != "" {
		msg = e.Field + ": " + msg
	}
	return msg
}

func (e *Error) Unwrap() error { return e.Err }

// New makes an error of kind k; format may wrap one cause with %w.
func New(k Kind, format string, args ...any) error { return newError(k, "", format, args) }

// InvalidField is an Invalid error about one named field.
func InvalidField(field, format string, args ...any) error {
	return newError(Invalid, field, format, args)
}

func newError(k Kind, field, format string, args []any) error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Kind: k, Field: field, Msg: wrapped.Error(), Err: errors.Unwrap(wrapped)}
}

// KindOf is the kind of the outermost Error in err's chain, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// FieldOf is the first field named in err's chain, or "".
func FieldOf(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if e.Field != "" {
			return e.Field
		}
		err = e.Err
	}
	return ""
}
