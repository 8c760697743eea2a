//go:build !unix

package auth

// yieldToOthers does nothing where threads have no such priority.
func yieldToOthers() {}
