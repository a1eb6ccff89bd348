// Package files tests what a render does to a directory if the system fails. Each
// call that opens, makes, writes, closes, links, renames, removes or syncs something
// fails once. In place of each such call, the program is killed once.
//
// The kernel stops the program before each of these calls and asks the test
// (seccomp, SECCOMP_RET_USER_NOTIF). So the program under test does not know about
// it, and no debugger is needed. It works only on Linux, and needs no rights.
package files
