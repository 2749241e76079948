package converge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/frr"
)

const (
	// tableFRR is the table of drift of statements in FRR.
	tableFRR = "frr"
	// maxField is how long a field of drift may be in the API.
	maxField = 64
)

// lostStatement is a statement of the agent's that others took out of FRR, or
// said something else in place of.
type lostStatement struct {
	context []string
	line    string
	other   string // what somebody said in its place, which is left to them
	stays   bool   // it is not put back
}

// look finds out what was lost of what is wanted since FRR was last made right.
func (w *frrWorker) look(ctx context.Context, session *frr.Session, work work, owned frr.Tree) ([]lostStatement, error) {
	have, err := session.Read(ctx)
	if err != nil {
		return nil, err
	}
	owned = frr.Merge(owned, only(w.lost))
	lost := slices.DeleteFunc(missing(owned, have, nil), func(l lostStatement) bool { return restarted(l, owned, have) })
	for _, conflict := range frr.Delta(have, work.want, owned).Conflicts {
		for i := range lost {
			if lost[i].line == conflict.Line && slices.Equal(lost[i].context, conflict.Context) {
				lost[i].other = conflict.Other
			}
		}
	}
	for i := range lost {
		lost[i].stays = work.report || lost[i].other != ""
	}
	return stillWanted(lost, work.want), nil
}

// stillWanted are the lost statements that a tree has.
func stillWanted(lost []lostStatement, want frr.Tree) []lostStatement {
	return slices.DeleteFunc(slices.Clone(lost), func(l lostStatement) bool {
		return len(missing(only([]lostStatement{l}), want, nil)) > 0
	})
}

// errDrifted says that something would be put back that is to stay as it is.
var errDrifted = errors.New("statements in FRR were changed by others")

// applyAgain is Apply of what FRR had already: what is missing was taken out by
// others, or a daemon has restarted. The answer has what was lost.
func (w *frrWorker) applyAgain(ctx context.Context, session *frr.Session, work work, owned frr.Tree) (frr.Result, []lostStatement, error) {
	var lost []lostStatement
	looked := false
	look := func() (err error) {
		lost, err = w.look(ctx, session, work, owned)
		looked = true
		return err
	}
	if len(w.lost) > 0 {
		if err := look(); err != nil {
			return frr.Result{}, nil, err
		}
	}
	result, err := session.Apply(ctx, work.kept(lost), owned, func(frr.Tree) error { return errDrifted })
	if errors.Is(err, errDrifted) {
		if err := look(); err != nil {
			return result, nil, err
		}
		result, err = session.Apply(ctx, work.kept(lost), owned, w.record)
	}
	if err == nil && !looked && len(result.Conflicts) > 0 {
		err = look()
	}
	return result, lost, err
}

// kept is what is wanted without what others took out, if that is to stay so.
func (w work) kept(lost []lostStatement) frr.Tree {
	if !w.report {
		return w.want
	}
	return without(w.want, lost)
}

// missing are the statements of a record that are not there. Of a context that
// is not there it is that alone.
func missing(owned, have frr.Tree, context []string) []lostStatement {
	var lost []lostStatement
	for _, node := range owned {
		i := slices.IndexFunc(have, func(n frr.Node) bool { return n.Line == node.Line })
		switch {
		case i >= 0:
			lost = append(lost, missing(node.Inside, have[i].Inside, append(slices.Clone(context), node.Line))...)
		case !node.Shared:
			lost = append(lost, lostStatement{context: context, line: node.Line})
		}
	}
	return lost
}

// restarted reports whether a statement went with all others of its kind: that
// is a daemon that has forgotten everything, and nobody's wish.
func restarted(l lostStatement, owned, have frr.Tree) bool {
	top := append(slices.Clone(l.context), l.line)[0]
	kind, _, _ := strings.Cut(top, " ")
	same := func(tree frr.Tree) frr.Tree {
		return slices.DeleteFunc(slices.Clone(tree), func(n frr.Node) bool { return !strings.HasPrefix(n.Line, kind+" ") })
	}
	return !said(same(owned), have)
}

// said reports whether any statement of a record that opens no context is there.
func said(owned, have frr.Tree) bool {
	return slices.ContainsFunc(owned, func(node frr.Node) bool {
		i := slices.IndexFunc(have, func(n frr.Node) bool { return n.Line == node.Line })
		return i >= 0 && (len(node.Inside) == 0 || said(node.Inside, have[i].Inside))
	})
}

// without is a tree without the lost statements.
func without(tree frr.Tree, lost []lostStatement) frr.Tree {
	if len(lost) == 0 {
		return tree
	}
	out := frr.Tree{}
	for _, node := range tree {
		here := func(l lostStatement) bool { return len(l.context) == 0 && l.line == node.Line }
		if slices.ContainsFunc(lost, here) {
			continue
		}
		var inside []lostStatement
		for _, l := range lost {
			if len(l.context) > 0 && l.context[0] == node.Line {
				l.context = l.context[1:]
				inside = append(inside, l)
			}
		}
		node.Inside = without(node.Inside, inside)
		out = append(out, node)
	}
	return out
}

// only is lost statements as a tree.
func only(lost []lostStatement) frr.Tree {
	var out frr.Tree
	for _, l := range lost {
		node := frr.Node{Line: l.line}
		for _, around := range slices.Backward(l.context) {
			node = frr.Node{Line: around, Shared: true, Inside: frr.Tree{node}}
		}
		out = frr.Merge(out, frr.Tree{node})
	}
	return out
}

// tell notes what was lost, and what is as wanted again.
func (r *routing) tell(lost []lostStatement, now time.Time) {
	told := map[sonic.Key]bool{}
	for _, l := range lost {
		context := strings.Join(l.context, " / ")
		key := sonic.Key{Table: tableFRR, Name: context + " / " + l.line}
		told[key] = l.stays
		r.drift.note(key, []v1alpha1.Drift{{
			Table: tableFRR, Key: cut(context), Field: cutTo(l.line, maxField), Have: cut(l.other), Want: cut(l.line),
		}}, now)
	}
	for key := range r.drift.rows {
		if !told[key] {
			r.drift.end(key, now)
		}
	}
}
