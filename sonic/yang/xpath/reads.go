package xpath

// Shape is the schema of a Tree: what children there can be. Its nodes are those
// of Node.Schema.
type Shape interface {
	RootShape() int32
	ParentShape(schema int32) (int32, bool)
	// ChildShapes are the children of a name, or all of them for "*".
	ChildShapes(schema int32, name string) []int32
	// IsRow reports whether a node is one row of the database: what is below it
	// and not below another is told apart by Node.Row.
	IsRow(schema int32) bool
}

// Anything is the schema of a Read that could not be found out.
const Anything int32 = -1

// Read is a place that an expression looks at.
type Read struct {
	Schema int32
	// Own is set for places in the row that the expression is evaluated for.
	Own bool
	// Leaf, if it is set, narrows the rows that are looked at to those where that
	// child leaf has the value Is, or the value of the own node Like.
	Leaf string
	Like int32
	Is   string
}

// Reads are the places that an expression looks at when it is evaluated for
// nodes of a schema node. They do not depend on data.
func Reads(x *Expr, shape Shape, current int32) []Read {
	r := &reader{shape: shape, current: place{current, true}, seen: map[Read]struct{}{}}
	r.expr(x.root, []place{r.current})
	return r.reads
}

type place struct {
	schema int32
	own    bool
}

type reader struct {
	shape   Shape
	current place
	reads   []Read
	seen    map[Read]struct{}
}

func (r *reader) read(read Read) {
	if _, ok := r.seen[read]; !ok {
		r.seen[read] = struct{}{}
		r.reads = append(r.reads, read)
	}
}

// expr reads what an expression looks at, and returns where its nodes can be.
func (r *reader) expr(e expr, at []place) []place {
	switch e := e.(type) {
	case negate:
		r.expr(e.of, at)
	case *binary:
		return r.binary(e, at)
	case *call:
		return r.call(e, at)
	case *path:
		return r.path(e, at, nil)
	}
	return nil
}

func (r *reader) binary(b *binary, at []place) []place {
	if b.op == equal {
		r.side(b.left, b.right, at)
		r.side(b.right, b.left, at)
		return nil
	}
	left, right := r.expr(b.left, at), r.expr(b.right, at)
	if b.op == union {
		return append(left, right...)
	}
	return nil
}

// side reads one side of a comparison. If it is a path to a leaf of a list, only
// the rows of the list that have the value of the other side matter.
func (r *reader) side(e, other expr, at []place) {
	p, ok := e.(*path)
	if !ok {
		r.expr(e, at)
		return
	}
	var narrow *Read
	if _, leaf, ok := p.split(); ok {
		narrow = r.narrow(leaf, other)
	}
	r.path(p, at, narrow)
}

// narrow says which rows of a list matter where leaf = value; nil if all do.
func (r *reader) narrow(leaf string, value expr) *Read {
	switch v := value.(type) {
	case literal:
		return &Read{Leaf: leaf, Is: v.text, Like: Anything}
	case *call:
		if v.name == "current" {
			return &Read{Leaf: leaf, Like: r.current.schema}
		}
	case *path:
		if p := r.ownLeaf(v); p != nil {
			return &Read{Leaf: leaf, Like: p.schema}
		}
	}
	return nil
}

// ownLeaf is where a path leads that stays in the own row and is the same
// whatever the context node is: current()/../name.
func (r *reader) ownLeaf(v *path) *place {
	if f, ok := v.from.(*call); !ok || f.name != "current" || len(v.filters) > 0 {
		return nil
	}
	at := []place{r.current}
	for _, s := range v.steps {
		if len(s.preds) > 0 {
			return nil
		}
		at = r.move(s, at)
	}
	if len(at) != 1 || !at[0].own {
		return nil
	}
	return &at[0]
}

func (r *reader) call(c *call, at []place) []place {
	for _, arg := range c.args {
		r.expr(arg, at)
	}
	if len(c.args) == 0 && c.name != "current" {
		r.visit(at, nil) // such functions are about the context node
	}
	switch c.name {
	case "current":
		r.visit([]place{r.current}, nil)
		return []place{r.current}
	case "deref":
		r.read(Read{Schema: Anything, Like: Anything})
	}
	return nil
}

// path reads along a path. narrow is about its last step but one.
func (r *reader) path(p *path, at []place, narrow *Read) []place {
	switch {
	case p.absolute:
		at = []place{{r.shape.RootShape(), false}}
	case p.from != nil:
		at = r.expr(p.from, at)
		r.predicates(p.filters, at)
	}
	for i, s := range p.steps {
		at = r.move(s, at)
		n := narrow
		if n == nil || i != len(p.steps)-2 {
			n = r.firstLookup(s)
		}
		r.visit(at, n)
		r.predicates(s.preds, at)
	}
	if len(p.steps) == 0 {
		r.visit(at, nil)
	}
	return at
}

func (r *reader) firstLookup(s *step) *Read {
	for _, p := range s.preds {
		if p.lookup != nil {
			if n := r.narrow(p.lookup.leaf, p.lookup.value); n != nil {
				return n
			}
		}
	}
	return nil
}

func (r *reader) predicates(preds []*pred, at []place) {
	for _, p := range preds {
		r.expr(p.expr, at)
	}
}

func (r *reader) visit(at []place, narrow *Read) {
	for _, p := range at {
		read := Read{Like: Anything}
		if narrow != nil && r.shape.IsRow(p.schema) {
			read = *narrow
		}
		read.Schema, read.Own = p.schema, p.own
		r.read(read)
	}
}

// move takes a step in the schema. Where axes lead that SONiC's models do not
// use is not followed: the expression then depends on everything.
func (r *reader) move(s *step, at []place) []place {
	var out []place
	for _, p := range at {
		switch s.axis {
		case self:
			out = append(out, p)
		case parent:
			if up, ok := r.shape.ParentShape(p.schema); ok {
				out = append(out, place{up, p.own && !r.shape.IsRow(p.schema)})
			}
		case child:
			out = append(out, r.children(s, p)...)
		case attribute:
		default:
			r.read(Read{Schema: Anything, Like: Anything})
		}
	}
	return out
}

func (r *reader) children(s *step, p place) []place {
	if s.text {
		return []place{p} // as the leaf itself stands for its text
	}
	name := s.name
	if name == "" {
		name = "*"
	}
	var out []place
	for _, schema := range r.shape.ChildShapes(p.schema, name) {
		out = append(out, place{schema, p.own && !r.shape.IsRow(schema)})
	}
	return out
}

// Targets are the schema nodes that a path leads to.
func Targets(x *Expr, shape Shape, current int32) []int32 {
	r := &reader{shape: shape, current: place{current, true}, seen: map[Read]struct{}{}}
	var out []int32
	for _, p := range r.expr(x.root, []place{r.current}) {
		out = append(out, p.schema)
	}
	return out
}
