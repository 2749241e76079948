package uml

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// processorVariable names the environment variable with the number of the processor.
const processorVariable = "SWITCHLET_LAB_PROCESSOR"

// onOneProcessor keeps the calling thread, and what it becomes and starts, on one of the
// processors it may use. The kernel and its processes are processes of the machine of
// which never two run at once: each system call inside hands over from one to the other
// some ten times. From one processor to another, which slept meanwhile, that takes five
// to ten times as long.
//
// It is the last one: the first has most of the machine's interrupts. If that is busy, as
// with the kernel of another lab, it is one that has clearly less to do; who runs several
// says which one by processorVariable.
func onOneProcessor() error {
	runtime.LockOSThread() // for good: the thread is what becomes the kernel
	var allowed, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return fmt.Errorf("processors that may be used: %w", err)
	}
	if n, err := strconv.Atoi(os.Getenv(processorVariable)); err == nil && allowed.IsSet(n) {
		one.Set(n)
	} else {
		one.Set(choose(numbers(&allowed), idleFor(glance)))
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("stay on one processor: %w", err)
	}
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, priority) // where that is allowed
	return nil
}

// numbers of processors, in ascending order.
func numbers(set *unix.CPUSet) []int {
	var all []int
	for n := 0; len(all) < set.Count(); n++ {
		if set.IsSet(n) {
			all = append(all, n)
		}
	}
	return all
}

const (
	// priority of the kernel and what runs in it: others can go to another processor.
	priority = -10
	// glance is how long is looked at what the processors do.
	glance = 300 * time.Millisecond
	// clearly is how much longer a processor has to be idle, in ticks of 10 ms.
	clearly = 8
)

// choose chooses one of the processors, in ascending order, by how long each was idle.
func choose(processors []int, idle map[int]int) int {
	best := processors[len(processors)-1]
	for n := len(processors) - 2; n >= 0; n-- {
		if idle[processors[n]] >= idle[best]+clearly {
			best = processors[n]
		}
	}
	return best
}

// idleFor is how much of a while from now on each processor has nothing to do, in ticks.
func idleFor(while time.Duration) map[int]int {
	before := idle()
	time.Sleep(while)
	now := idle()
	for n := range now {
		now[n] -= before[n]
	}
	return now
}

// idle is how long each processor had nothing to do since the machine started, in ticks of
// 10 ms (proc_stat(5)). It is empty where that cannot be read.
func idle() map[int]int {
	all := map[int]int{}
	text, _ := os.ReadFile("/proc/stat") // then the last processor is taken
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 5 {
			continue
		}
		number, wrong := strconv.Atoi(string(bytes.TrimPrefix(fields[0], []byte("cpu"))))
		if ticks, err := strconv.Atoi(string(fields[4])); err == nil && wrong == nil {
			all[number] = ticks
		}
	}
	return all
}
