package uml

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestKernelStaysOnOneProcessor(t *testing.T) {
	failed, stays := make(chan error), 0
	go func() { // its thread ends with it, since it stays locked to it
		err := onOneProcessor()
		var set unix.CPUSet
		if err == nil {
			err = unix.SchedGetaffinity(0, &set)
		}
		stays = set.Count()
		failed <- err
	}()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if stays != 1 {
		t.Errorf("the thread may use %d processors, want one", stays)
	}
}

// Each processor could have been idle for 30 ticks.
func TestKernelGoesWhereThereIsLessToDo(t *testing.T) {
	for _, test := range []struct {
		processors []int
		idle       map[int]int
		want       int
	}{
		{[]int{0, 1, 2, 3}, map[int]int{0: 30, 1: 30, 2: 30, 3: 28}, 3},
		{[]int{0, 1, 2, 3}, map[int]int{0: 30, 1: 30, 2: 30, 3: 2}, 2},
		{[]int{0, 1}, map[int]int{0: 20, 1: 2}, 0},
		{[]int{0, 1}, map[int]int{0: 8, 1: 2}, 1},
		{[]int{1, 3}, map[int]int{0: 30, 1: 5, 3: 9}, 3},
		{[]int{0, 1}, nil, 1},
		{[]int{5}, map[int]int{5: 0}, 5},
	} {
		if got := choose(test.processors, test.idle); got != test.want {
			t.Errorf("of %v, idle for %v: %d, want %d", test.processors, test.idle, got, test.want)
		}
	}
}
