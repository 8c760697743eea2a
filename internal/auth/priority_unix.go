//go:build unix

package auth

import "syscall"

// yieldToOthers lets this thread run when others would not. Where the system
// does not allow that, it runs like any other.
func yieldToOthers() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 19) }
