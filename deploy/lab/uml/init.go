package uml

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/switchlet/switchlet/deploy/lab/network"
)

// serialLine is connected to the stdout of the kernel's process.
const serialLine = "/dev/ttyS0"

// Init is process 1 of a kernel: it makes of it a small machine, runs the program
// inside, leaves its exit code and switches the machine off. It does not return.
func Init(spec string) {
	code, cfg, err := runSpec(spec)
	if err != nil {
		fmt.Fprintln(os.Stderr, "uml-init:", err) // the console
	}
	if cfg.Dir != "" {
		err := os.WriteFile(cfg.result(), []byte(strconv.Itoa(code)), 0o644)
		if err != nil {
			fmt.Fprintln(os.Stderr, "uml-init:", err)
		}
	}
	unix.Sync()
	err = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	panic(fmt.Errorf("switch off: %w", err)) // and that ends the kernel too
}

func runSpec(spec string) (code int, cfg Config, err error) {
	cfg, err = read(spec)
	if err != nil {
		return 1, cfg, err
	}
	if err := cfg.setUp(); err != nil {
		return 1, cfg, err
	}
	code, err = cfg.run()
	return code, cfg, err
}

// setUp does what an init system does before it starts the first service.
func (cfg Config) setUp() error {
	if err := cfg.mountAll(); err != nil {
		return err
	}
	if err := cfg.loadModules(); err != nil {
		return err
	}
	limit := unix.Rlimit{Cur: 65536, Max: 65536}
	return errors.Join(
		unix.Sethostname([]byte(cfg.Name)),
		unix.Setrlimit(unix.RLIMIT_NOFILE, &limit),
		network.Up("lo"),
	)
}

// run runs the program and, as process 1 has to, waits for whatever ends meanwhile.
func (cfg Config) run() (code int, err error) {
	output, err := openSerialLine()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, drain(output)) }()
	log := output
	if cfg.Log != "" {
		if log, err = os.OpenFile(cfg.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
			return 1, err
		}
		defer log.Close()
	}
	if cfg.Folder == "" {
		cfg.Folder = "/"
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	pid, err := syscall.ForkExec("/proc/self/exe", append([]string{self}, cfg.Args...), &syscall.ProcAttr{
		Dir: cfg.Folder, Env: cfg.Env, Sys: &syscall.SysProcAttr{Setsid: true},
		Files: []uintptr{0, output.Fd(), log.Fd()},
	})
	if err != nil {
		return 1, fmt.Errorf("start %s: %w", self, err)
	}
	return waitFor(pid)
}

func waitFor(pid int) (code int, err error) {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1, fmt.Errorf("wait: %w", err)
		case ended == pid && status.Exited():
			return status.ExitStatus(), nil
		case ended == pid:
			return 1, fmt.Errorf("the program was ended by %s", status.Signal())
		}
	}
}

// openSerialLine opens the line as one that changes no byte.
func openSerialLine() (*os.File, error) {
	line, err := os.OpenFile(serialLine, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	settings, err := unix.IoctlGetTermios(int(line.Fd()), unix.TCGETS)
	if err == nil {
		settings.Oflag &^= unix.OPOST
		settings.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
		err = unix.IoctlSetTermios(int(line.Fd()), unix.TCSETS, settings)
	}
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", serialLine, errors.Join(err, line.Close()))
	}
	return line, nil
}

// drain waits until all that was written is outside.
func drain(line *os.File) error {
	const untilSent = 1 // any argument but 0: tcdrain(3), see tty_ioctl(2)
	return errors.Join(unix.IoctlSetInt(int(line.Fd()), unix.TCSBRK, untilSent), line.Close())
}

// loadModules loads what a data plane needs and lets the kernel find the rest by
// itself. It looks for modules in /lib/modules, where the machine has none for it,
// so modprobe is told of another root.
func (cfg Config) loadModules() error {
	const root = "/run/modules"
	folder := filepath.Join(root, "lib/modules")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.Symlink(cfg.Kernel.Modules, filepath.Join(folder, filepath.Base(cfg.Kernel.Modules))); err != nil {
		return err
	}
	script := "#!/bin/sh\nexec " + modprobe + " --dirname=" + root + ` "$@"` + "\n"
	helper := filepath.Join(root, "modprobe")
	if err := os.WriteFile(helper, []byte(script), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/sys/kernel/modprobe", []byte(helper), 0o644); err != nil {
		return err
	}
	modules := []string{"8021q", "bonding", "bridge", "dummy", "veth", "vrf", "vxlan", "macvlan", "tun"}
	output, err := exec.Command(modprobe, append([]string{"--dirname=" + root, "--all"}, modules...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("load modules: %w: %s", err, output)
	}
	return nil
}
