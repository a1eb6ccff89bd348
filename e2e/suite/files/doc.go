// Package files tries what a render does to a directory when the system fails it:
// each call that opens, makes, writes, closes, links, renames, removes or syncs
// something is refused once, and once the program is killed in place of it.
//
// The kernel stops the program before each of these calls and asks the test
// (seccomp, SECCOMP_RET_USER_NOTIF). So nothing in the program under test knows
// about it, and no debugger is needed. It works on Linux only, and needs no right.
package files
