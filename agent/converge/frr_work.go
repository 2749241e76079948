package converge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/switchlet/switchlet/sonic/frr"
)

// errNoFRR says that there is no way to FRR.
var errNoFRR = errors.New("no way to FRR was found")

// frrWorker carries out one change of FRR at a time.
type frrWorker struct {
	cfg  FRR
	log  *slog.Logger
	wake func()

	mu       sync.Mutex
	session  *frr.Session // nil while there is no way to FRR
	by       string       // the name of the way
	running  chan struct{}
	outcomes []outcome
	base     frr.Tree        // what FRR was last made
	retired  map[string]bool // neighbours that the spec on trial took away
	lost     []lostStatement // what others took out and stays so; of the change under way
}

// work is one change.
type work struct {
	target *target // nil if what leaves is taken out only
	want   frr.Tree
	again  bool // FRR had all of it
	report bool // what others took out is to stay so
}

// outcome is what became of it.
type outcome struct {
	work
	result frr.Result
	lost   []lostStatement
	err    error
}

// find looks for a way to FRR: containers come and go.
func (w *frrWorker) find() *frr.Session {
	var shell frr.Shell
	by := ""
	if w.cfg.Shell != nil {
		shell, by = w.cfg.Shell()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case shell == nil:
		w.session, w.by = nil, ""
	case w.session == nil || w.by != by:
		w.session, w.by = frr.NewSession(shell, w.log), by
	}
	return w.session
}

// busy reports whether a change is under way.
func (w *frrWorker) busy() bool {
	if w.running == nil {
		return false
	}
	select {
	case <-w.running:
		w.running = nil
		return false
	default:
		return true
	}
}

// start begins a change.
func (w *frrWorker) start(ctx context.Context, work work) {
	ended := make(chan struct{})
	w.running = ended
	go func() {
		defer w.wake()
		defer close(ended)
		limited, cancel := context.WithTimeout(ctx, workLimit)
		defer cancel()
		result, lost, err := w.apply(limited, work)
		if ctx.Err() != nil {
			return // the agent ends
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.outcomes = append(w.outcomes, outcome{work, result, lost, err})
		if err == nil {
			w.base = work.kept(lost)
		}
	}()
}

// await waits for the change under way, and reports whether it ended in time.
func (w *frrWorker) await(ctx context.Context, patience time.Duration) bool {
	if !w.busy() {
		return true
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.running:
	case <-timer.C:
	case <-ctx.Done():
	}
	return !w.busy()
}

// end waits until nothing is under way. The context of the change must be done.
func (w *frrWorker) end() {
	if w.running != nil {
		<-w.running
	}
}

// take are the outcomes since the last time, all or only those of taking out
// what leaves.
func (w *frrWorker) take(all bool) []outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	var taken, kept []outcome
	for _, o := range w.outcomes {
		if all || o.target == nil {
			taken = append(taken, o)
		} else {
			kept = append(kept, o)
		}
	}
	w.outcomes = kept
	return taken
}

// inForce is what FRR was last made, or what the record says of it.
func (w *frrWorker) inForce() frr.Tree {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.base != nil || w.cfg.Statements == nil {
		return w.base
	}
	tree, _ := w.cfg.Statements.Get()
	return tree
}

// saidNothing reports whether FRR has nothing of the agent's.
func (w *frrWorker) saidNothing() bool {
	if w.cfg.Statements == nil {
		return true
	}
	tree, _ := w.cfg.Statements.Get()
	return len(tree) == 0
}

// apply makes FRR what is wanted, with a record of it. The answer has what others
// took out.
func (w *frrWorker) apply(ctx context.Context, work work) (frr.Result, []lostStatement, error) {
	session := w.find()
	if session == nil || w.cfg.Statements == nil {
		return frr.Result{}, nil, errNoFRR
	}
	owned, known := w.cfg.Statements.Get()
	if !known {
		have, err := session.Read(ctx)
		if err != nil {
			return frr.Result{}, nil, err
		}
		owned = adopt(have, work.want)
	}
	lost := w.lost
	var result frr.Result
	var err error
	if work.again && known {
		result, lost, err = w.applyAgain(ctx, session, work, owned)
	} else {
		if work.target != nil {
			lost = stillWanted(lost, work.want)
		}
		result, err = session.Apply(ctx, work.kept(lost), owned, w.record)
	}
	if err != nil {
		return result, nil, err
	}
	w.lost = slices.DeleteFunc(slices.Clone(lost), func(l lostStatement) bool { return !l.stays })
	if !known || !reflect.DeepEqual(result.Owned, owned) {
		err = w.record(result.Owned)
	}
	return result, lost, err
}

func (w *frrWorker) record(tree frr.Tree) error {
	if err := w.cfg.Statements.Set(tree); err != nil {
		return diskError{err}
	}
	return nil
}

// adopt is what to take as the agent's after the record was lost: what is exactly
// as wanted, if there is a trace of the agent at all.
func adopt(have, want frr.Tree) frr.Tree {
	own := frr.Adopt(have, want)
	for _, node := range own {
		if node.Line == traceOfAgent {
			return own
		}
	}
	return nil
}

// traceOfAgent is a statement that nobody else makes.
const traceOfAgent = "route-map SWITCHLET-ALL permit 10"

// said is an error of FRR's, for people.
func (w *frrWorker) said(err error) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == "" {
		return err.Error()
	}
	return fmt.Sprintf("%v (asked by way of %s)", err, w.by)
}
