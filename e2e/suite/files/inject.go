//go:build linux && amd64

package files

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fault is what happens to one call of a program.
type fault struct {
	at   int           // the number of the call, from 1; 0 for none
	kill bool          // in place of the call
	err  syscall.Errno // else the result of the call, which does nothing
}

// run is the result of a program.
type run struct {
	code   int // -1 if it was killed
	stderr string
	calls  []string // the calls that the kernel asked about, with their paths
}

// launch is the environment variable that tells the test binary to become the watched
// program.
const launch = "SIGHTLINE_E2E_WATCHED"

// watch runs a program and lets one of its calls fail. Only calls with a path below a
// directory count.
func watch(dir string, f fault, program string, args ...string) (*run, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := pair[0], os.NewFile(uintptr(pair[1]), "socket")
	defer unix.Close(ours)
	cmd := exec.Command(os.Args[0], append([]string{program}, args...)...)
	cmd.Env = append(os.Environ(), launch+"=1")
	cmd.ExtraFiles = []*os.File{theirs} // 3
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return nil, err
	}
	r := &run{}
	answering := make(chan error, 1)
	go func() { answering <- r.answer(ours, dir, f, cmd.Process) }()
	waited := cmd.Wait()
	if err := <-answering; err != nil {
		return nil, fmt.Errorf("%w: %s", err, &stderr)
	}
	var exit *exec.ExitError
	if waited != nil && !errors.As(waited, &exit) {
		return nil, waited
	}
	r.code, r.stderr = cmd.ProcessState.ExitCode(), stderr.String()
	return r, nil
}

// answer answers the kernel until the program is gone.
func (r *run) answer(socket int, dir string, f fault, process *os.Process) error {
	buffer := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), buffer, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(buffer[:n])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("the program sent no listener: %v", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	listener := fds[0]
	defer unix.Close(listener)
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err == unix.EINTR {
			continue
		} else if err != nil {
			return err
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			return nil // the program is gone
		}
		var q question
		switch err := ioctl(listener, notifRecv, unsafe.Pointer(&q)); {
		case err == unix.ENOENT || err == unix.EINTR: // killed while it asked
			continue
		case err != nil:
			return fmt.Errorf("receive: %w", err)
		}
		a := answer{id: q.id, flags: flagContinue}
		if about := q.about(); below(dir, about) {
			r.calls = append(r.calls, q.name()+" "+about)
			if len(r.calls) == f.at {
				if f.kill {
					if err := process.Kill(); err != nil {
						return err
					}
					continue
				}
				a.flags, a.err = 0, -int32(f.err)
			}
		}
		if err := ioctl(listener, notifSend, unsafe.Pointer(&a)); err != nil && err != unix.ENOENT {
			return fmt.Errorf("send: %w", err)
		}
	}
}

func below(dir, path string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// question is struct seccomp_notif, and answer struct seccomp_notif_resp.
type question struct {
	id    uint64
	pid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type answer struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

const (
	notifRecv    = 0xc0502100 // SECCOMP_IOCTL_NOTIF_RECV
	notifSend    = 0xc0182101 // SECCOMP_IOCTL_NOTIF_SEND
	flagContinue = 1          // SECCOMP_USER_NOTIF_FLAG_CONTINUE
	newListener  = 8          // SECCOMP_FILTER_FLAG_NEW_LISTENER
	setFilter    = 1          // SECCOMP_SET_MODE_FILTER
)

func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

func (q *question) name() string {
	if q.nr == unix.SYS_OPENAT && q.args[2]&unix.O_CREAT != 0 {
		return "create"
	}
	return nameOf[int(q.nr)]
}

// about returns the path of a call, or "".
func (q *question) about() string {
	fd := func(i int) string {
		n := int32(q.args[i])
		if n == unix.AT_FDCWD {
			cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", q.pid))
			return cwd
		}
		path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", q.pid, n))
		return path
	}
	at := func(dir string, i int) string {
		path := q.text(q.args[i])
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	switch nr := int(q.nr); {
	case slices.Contains(byPath, nr):
		return at(fd(0), 1)
	case slices.Contains(byDescriptor, nr):
		return fd(0)
	default: // calls without a directory
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", q.pid))
		return at(cwd, 0)
	}
}

// text reads a string from the memory of the program.
func (q *question) text(address uint64) string {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", q.pid))
	if err != nil {
		return ""
	}
	defer memory.Close()
	buffer := make([]byte, unix.PathMax)
	n, _ := memory.ReadAt(buffer, int64(address))
	text, _, _ := bytes.Cut(buffer[:n], []byte{0})
	return string(text)
}

// become turns this process into the program in its arguments. The kernel then asks the
// test about each of the calls.
func become() error {
	runtime.LockOSThread() // the filter belongs to the thread, and stays after exec
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	numbers := slices.Concat(byPath, byDescriptor, without)
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the number
	for i, nr := range numbers {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(nr), Jt: uint8(len(numbers) - i)})
	}
	filter = append(filter,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000}, // SECCOMP_RET_ALLOW
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fc00000}, // SECCOMP_RET_USER_NOTIF
	)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	environment := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, launch+"=") })
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, setFilter, newListener, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(int(listener)), nil, 0); err != nil {
		return err
	}
	unix.CloseOnExec(3)
	unix.CloseOnExec(int(listener))
	return syscall.Exec(os.Args[1], os.Args[1:], environment)
}

func (f fault) String() string {
	if f.kill {
		return "killed before call " + strconv.Itoa(f.at)
	}
	return fmt.Sprintf("call %d fails: %v", f.at, f.err)
}
