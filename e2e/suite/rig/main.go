package rig

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// With this environment, the test binary knows that it is inside, and where.
const (
	envDir     = "SIGHTLINE_E2E_DIR"
	envProgram = "SIGHTLINE_E2E_PROGRAM_" // and the name of a program; the value is its file
)

// Main runs the tests in separate namespaces and exits. Build the programs before.
// Without the right to make namespaces, it fails, because tests that did not run
// prove nothing.
func Main(m *testing.M, programs []Program) {
	if os.Getenv(envDir) != "" {
		if err := furnish(); err != nil {
			fail(err)
		}
		os.Exit(m.Run())
	}
	code, err := outside(programs)
	if err != nil {
		fail(err)
	}
	os.Exit(code)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	os.Exit(1)
}

// Dir returns the directory for the files of this run.
func Dir() string { return os.Getenv(envDir) }

// Again returns the command that runs tests of this binary once more, as from
// outside, with another home. It uses the programs of this run.
func Again(home string, args ...string) (*exec.Cmd, error) {
	bin := filepath.Dir(filepath.Dir(built(Programs.Core[0].Name)))
	if err := os.Symlink(bin, filepath.Join(home, "bin")); err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe", args...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, envDir+"=") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, envHome+"="+home)
	return cmd, nil
}

// outside runs the test binary again, inside, and returns its exit code.
func outside(programs []Program) (int, error) {
	if os.Geteuid() != 0 {
		return 0, errors.New("the suite makes namespaces for networks, processes and mounts, for which it has to be run by root")
	}
	env := os.Environ()
	for _, program := range programs {
		path, err := program.Path("../bin")
		if err != nil {
			return 0, err
		}
		if _, err = os.Stat(path); err != nil {
			return 0, fmt.Errorf("the program %s is not built yet; make e2e does that before it runs the tests", program.Name)
		}
		env = append(env, envProgram+program.Name+"="+path)
	}
	for _, name := range []string{envSightline, envKustomize, envHelm3, envHelm4} {
		path := os.Getenv(name)
		if _, err := os.Stat(path); path == "" || !filepath.IsAbs(path) || err != nil {
			return 0, fmt.Errorf("%s is %q and should be the absolute path of a program; make e2e sets it", name, path)
		}
	}
	if crds := os.Getenv(envDefinitions); crds != "" {
		if _, err := os.Stat(crds); !filepath.IsAbs(crds) || err != nil {
			return 0, fmt.Errorf("%s is %q and should be the absolute path of a directory, or not set", envDefinitions, crds)
		}
	}
	dir, err := runDir()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	// Inside, HOME is different, and Go would look for its modules there.
	modules, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return 0, fmt.Errorf("go env GOMODCACHE: %w", err)
	}
	cmd.Env = append(env, envDir+"="+dir, "GOMODCACHE="+strings.TrimSpace(string(modules)))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	// The kernel acts at the end of this thread, not of the process.
	runtime.LockOSThread()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("no namespaces could be made, for which root needs CAP_SYS_ADMIN and CAP_NET_ADMIN: %w", err)
	}
	done := make(chan struct{})
	go endWith(cmd.Process, os.Getppid(), done)
	err = cmd.Wait()
	close(done)
	if keep() {
		fmt.Fprintln(os.Stderr, "e2e: the files of this run are in", dir)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil // -1 for one that was killed
	}
	return 0, err
}

// endWith kills the process, and with it its whole namespace, if this process gets a
// signal to end or loses its parent. It stops watching at done.
func endWith(process *os.Process, parent int, done <-chan struct{}) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	for {
		select {
		case <-signals:
			_ = process.Kill()
			return
		case <-time.After(500 * time.Millisecond):
			if os.Getppid() != parent {
				_ = process.Kill()
				return
			}
		case <-done:
			return
		}
	}
}

func keep() bool { return os.Getenv("SIGHTLINE_E2E_KEEP") != "" }

// runDir returns a new empty directory if the files are kept. Else it returns one
// mount point for all runs: outside of a run, it is always empty.
func runDir() (string, error) {
	if keep() {
		return os.MkdirTemp("", "sightline-e2e-")
	}
	home, err := Home()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(home, "run")
	return dir, os.MkdirAll(dir, 0o755)
}

// furnish prepares the namespaces for programs.
func furnish() error {
	// A mount here must not be visible outside.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts made private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount of /proc: %w", err)
	}
	if !keep() {
		if err := unix.Mount("tmpfs", Dir(), "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("mount of %s: %w", Dir(), err)
		}
	}
	for _, sub := range []string{"tmp", "home"} {
		if err := os.MkdirAll(filepath.Join(Dir(), sub), 0o755); err != nil {
			return err
		}
	}
	// Programs must not read the user's settings, and must not leave files.
	for name, value := range map[string]string{"TMPDIR": filepath.Join(Dir(), "tmp"), "HOME": filepath.Join(Dir(), "home")} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if name == "KUBECONFIG" || strings.HasPrefix(name, "XDG_") || strings.HasPrefix(strings.ToLower(name), "http") || strings.HasPrefix(name,
			"KUBERNETES_") || strings.HasPrefix(name, "HELM_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	if err := network(); err != nil {
		return fmt.Errorf("loopback interface: %w", err)
	}
	hosts := filepath.Join(Dir(), "hosts")
	if err := os.WriteFile(hosts, []byte(hostsFile()), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(hosts, "/etc/hosts", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount of /etc/hosts: %w", err)
	}
	return nil
}

// network starts the loopback interface and gives it 10.240.0.0/12. The host owns
// all addresses of a network on this interface.
func network() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	up, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	up.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err = unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, up); err != nil {
		return err
	}
	for _, set := range []struct {
		request uint
		value   []byte
	}{
		{unix.SIOCSIFADDR, []byte{10, 240, 0, 1}},
		{unix.SIOCSIFNETMASK, []byte{255, 240, 0, 0}},
	} {
		more, err := unix.NewIfreq("lo:1") // the second address; 127.0.0.1 stays
		if err != nil {
			return err
		}
		if err = more.SetInet4Addr(set.value); err != nil {
			return err
		}
		if err = unix.IoctlIfreq(socket, set.request, more); err != nil {
			return err
		}
	}
	return nil
}

func hostsFile() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n")
	for _, site := range sites {
		fmt.Fprintf(&b, "%s %s\n", site.address, site.host)
	}
	return b.String()
}
