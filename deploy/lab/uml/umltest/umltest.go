// Package umltest runs the tests of a package in a kernel that has what a data plane
// needs: in the running one, or else in User-Mode Linux.
//
//	func TestMain(m *testing.M) { umltest.Main(m) }
//
// Inside, the machine's files are there, /run and /tmp are new and empty, lo is up.
package umltest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/sandbox"
	"github.com/switchlet/switchlet/deploy/lab/uml"
)

// inside is the variable of the environment that says that this is the kernel to
// run the tests in.
const inside = "SWITCHLET_UMLTEST_INSIDE"

// memory in MiB that tests may use.
const memory = 2048

// errMissing says that the machine lacks something that the tests need.
var errMissing = errors.New("these tests are skipped")

// Main runs a package's tests and ends the program with their exit code. Without a
// fitting kernel they are skipped, or fail if SWITCHLET_TEST_REQUIRE is "all".
func Main(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if code, ok := part(); ok {
		return code
	}
	if os.Getenv(inside) != "" || listing() {
		return m.Run()
	}
	if os.Geteuid() != 0 {
		return fail(fmt.Errorf("%w: network namespaces need root", errMissing))
	}
	missing := uml.Missing()
	if len(missing) == 0 {
		return m.Run()
	}
	code, err := outside(missing)
	if err != nil {
		return max(code, fail(err))
	}
	return code
}

// part is this program as a part of the kernel's sandbox.
func part() (code int, ok bool) {
	if len(os.Args) < 3 {
		return 0, false
	}
	var err error
	switch os.Args[1] {
	case sandbox.InitCommand:
		code, err = sandbox.Init()
	case uml.BootCommand:
		err = uml.Boot(os.Args[2])
	case uml.InitCommand:
		uml.Init(os.Args[2])
	default:
		return 0, false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code, true
}

// listing says whether nothing is to be run.
func listing() bool {
	for _, arg := range os.Args[1:] {
		if strings.HasPrefix(strings.TrimLeft(arg, "-"), "test.list=") {
			return true
		}
	}
	return false
}

// fail is the exit code of tests that could not be run.
func fail(err error) int {
	fmt.Fprintln(os.Stderr, "umltest:", err)
	if errors.Is(err, errMissing) && os.Getenv("SWITCHLET_TEST_REQUIRE") != "all" {
		return 0
	}
	return 1
}

// outside runs this program in User-Mode Linux.
func outside(missing []string) (code int, err error) {
	kernel, err := uml.Find()
	if errors.Is(err, uml.ErrNone) {
		return 0, fmt.Errorf("%w: this kernel has no %s, and %w", errMissing, strings.Join(missing, ", no "), err)
	}
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "umltest")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if raceDetector {
		return rebuilt(dir)
	}
	return boot(kernel, dir)
}

// boot runs the tests and passes on what they print.
func boot(kernel uml.Kernel, dir string) (code int, err error) {
	folder, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	machine, err := uml.Start(uml.Config{
		Name: "umltest", Dir: dir, Kernel: kernel, Memory: memory,
		Args: os.Args[1:], Env: environment(), Folder: folder, Keep: keep(folder), Output: os.Stdout,
	})
	if err != nil {
		return 0, err
	}
	return machine.Wait()
}

// environment is this program's, with the folders of programs for root, and without
// a folder for temporary files outside of /tmp.
func environment() []string {
	env := []string{
		inside + "=1", "HOME=/root",
		"PATH=" + os.Getenv("PATH") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if name != "PATH" && name != "HOME" && name != "TMPDIR" {
			env = append(env, variable)
		}
	}
	return env
}

// keep are the folders that the tests and go test read and write.
func keep(folder string) []string {
	paths := []string{folder}
	if self, err := os.Executable(); err == nil {
		paths = append(paths, filepath.Dir(self))
	}
	for _, arg := range os.Args[1:] {
		if _, value, _ := strings.Cut(arg, "="); filepath.IsAbs(value) {
			paths = append(paths, filepath.Dir(value))
		}
	}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		paths = append(paths, dir)
	}
	return existing(paths)
}

func existing(paths []string) []string {
	var there []string
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			there = append(there, path)
		}
	}
	return there
}

// rebuilt runs the tests without the race detector: the memory that it wants lies
// where User-Mode Linux, whose programs have 39 bits of addresses, has none.
func rebuilt(dir string) (code int, err error) {
	fmt.Fprintln(os.Stderr, "umltest: the race detector does not run in User-Mode Linux; the tests do without it")
	program := filepath.Join(dir, "without-race.test")
	if output, err := exec.Command("go", "test", "-c", "-race=false", "-o", program, ".").CombinedOutput(); err != nil {
		return 1, fmt.Errorf("build the tests without the race detector: %w\n%s", err, output)
	}
	cmd := exec.Command(program, os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
