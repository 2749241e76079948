package yang

import (
	"github.com/switchlet/switchlet/sonic/yang/xpath"
)

// constraint is something that the models demand and that has to be looked at again
// when the row or another one changes.
type constraint struct {
	id      int32
	kind    Rule
	at      *node       // what it is demanded of
	context *node       // of must and when: the node that the expression is about
	expr    *xpath.Expr // of must and when
	message string      // error-message
	unique  []*node     // of unique
	choice  *choice     // of mandatory, if it is a choice that is
	deps    []*dep      // on other rows
	memo    bool        // the outcome depends on the context node's value and on other rows only
}

// dep is that a rule looks at rows of other tables, or at other rows of its own.
type dep struct {
	constraint *constraint
	on         *node // the row node whose rows are looked at
	// If leaf is set, only those rows matter in which it has the value of like,
	// a leaf of the row that the rule is about, or, if that is nil, the value is.
	leaf *node
	like *node
	is   string
}

// reference is where a leafref leads.
type reference struct {
	path     *xpath.Expr
	required bool // require-instance
}

// link finds out what the rules depend on, once all nodes are known.
func (s *Schema) link() {
	s.readers = make([][]*dep, len(s.nodes))
	for _, r := range s.constraints {
		for _, d := range s.depsOf(r) {
			if r.has(d) {
				continue
			}
			r.deps = append(r.deps, d)
			s.readers[d.on.id] = append(s.readers[d.on.id], d)
		}
	}
}

func (r *constraint) has(d *dep) bool {
	for _, old := range r.deps {
		if *old == *d {
			return true
		}
	}
	return false
}

func (s *Schema) depsOf(r *constraint) []*dep {
	var out []*dep
	if len(r.at.defaults) > 0 && r.at.conditional() {
		out = append(out, s.conditions(r, r.at)...)
	}
	own := false // whether it looks at more leaves of its own row than the context node
	for _, e := range r.exprs() {
		for _, read := range xpath.Reads(e.expr, shape{s}, e.context.id) {
			if read.Schema == xpath.Anything {
				return s.everything(r)
			}
			n := s.nodes[read.Schema]
			own = own || read.Own && n != e.context && n.isLeaf()
			if len(n.defaults) > 0 && n.conditional() {
				out = append(out, s.conditions(r, n)...)
			}
			if !read.Own && n.isRow() {
				out = append(out, s.dep(r, n, read))
			}
		}
	}
	r.memo = r.kind == Must && !own && len(out) > 0 && r.context.isLeaf()
	return append(out, s.ownRows(r)...)
}

// ownRows are what rules about whole tables and about the other rows of a list
// depend on.
func (s *Schema) ownRows(r *constraint) []*dep {
	switch {
	case r.kind == MinElements || r.kind == MaxElements:
		return []*dep{{constraint: r, on: r.at}}
	case r.kind == Unique && r.unique[0].indexable():
		return []*dep{{constraint: r, on: r.at, leaf: r.unique[0], like: r.unique[0]}}
	case r.kind == Unique || r.kind == DuplicateKey:
		return []*dep{{constraint: r, on: r.at}}
	case r.at.row == nil: // a container that is there as long as there are rows in it
		var out []*dep
		for _, n := range s.nodes {
			if n.isRow() && n.isBelow(r.at) {
				out = append(out, &dep{constraint: r, on: n})
			}
		}
		return out
	}
	return nil
}

func (n *node) isBelow(other *node) bool {
	for ; n != nil; n = n.parent {
		if n == other {
			return true
		}
	}
	return false
}

// dep is a read of rows as a dependency.
func (s *Schema) dep(r *constraint, on *node, read xpath.Read) *dep {
	d := &dep{constraint: r, on: on}
	leaf := on.child(read.Leaf)
	if read.Leaf == "" || leaf == nil || !leaf.indexable() || on.kind != listKind {
		return d
	}
	if read.Like == xpath.Anything {
		d.leaf, d.is = leaf, read.Is
		return d
	}
	if like := s.nodes[read.Like]; like.row == r.at.row && like.indexable() {
		d.leaf, d.like = leaf, like
	}
	return d
}

// conditions are the dependencies of the whens that decide whether the default
// of a leaf is there.
func (s *Schema) conditions(r *constraint, leaf *node) []*dep {
	var out []*dep
	for n := leaf; n != nil; n = n.parent {
		for _, w := range n.whens {
			for _, read := range xpath.Reads(w.expr, shape{s}, w.context.id) {
				if read.Schema == xpath.Anything {
					return s.everything(r)
				}
				if row := s.nodes[read.Schema].row; row != nil && (!read.Own || row != r.at.row) {
					out = append(out, &dep{constraint: r, on: row})
				}
			}
		}
	}
	return out
}

// everything is a dependency on all rows of all tables.
func (s *Schema) everything(r *constraint) []*dep {
	var out []*dep
	for _, n := range s.nodes {
		if n.isRow() {
			out = append(out, &dep{constraint: r, on: n})
		}
	}
	return out
}

// expression is an expression with the node that it is about.
type expression struct {
	expr    *xpath.Expr
	context *node
}

// exprs are the expressions that the outcome of a rule depends on.
func (r *constraint) exprs() []expression {
	var out []expression
	switch r.kind {
	case Must, When:
		out = append(out, expression{r.expr, r.context})
	case LeafRef:
		for _, ref := range references(r.at.typ, nil) {
			out = append(out, expression{xpath.EqualsCurrent(ref.path), r.at})
		}
	case Mandatory, MinElements:
		for n := r.at; n != nil; n = n.parent {
			for _, w := range n.whens {
				out = append(out, expression{w.expr, w.context})
			}
		}
		if r.choice != nil {
			for _, w := range r.choice.whens {
				out = append(out, expression{w.expr, w.context})
			}
		}
	default: // the others depend on no expression
	}
	return out
}
