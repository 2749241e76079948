package xpath

import "fmt"

// maxDepth bounds how deep expressions may be nested: the parser and the
// evaluation use the stack.
const maxDepth = 64

// Parse reads an expression.
func Parse(text string) (*Expr, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, fmt.Errorf("parse XPath %q: %w", text, err)
	}
	p := &parser{tokens: tokens}
	root, err := p.expr(0)
	if err == nil && p.peek().kind != end {
		err = p.unexpected("an operator or the end")
	}
	if err != nil {
		return nil, fmt.Errorf("parse XPath %q: %w", text, err)
	}
	return &Expr{text: text, root: root}, nil
}

type parser struct {
	tokens []token
	next   int
	depth  int
}

func (p *parser) peek() token { return p.tokens[p.next] }

// is reports whether the next token is a symbol, and takes it if so.
func (p *parser) is(text string) bool {
	if t := p.peek(); t.kind != symbol || t.text != text {
		return false
	}
	p.next++
	return true
}

func (p *parser) unexpected(want string) error {
	t := p.peek()
	return fmt.Errorf("at byte %d: expected %s", t.at, want)
}

// expr reads operands and operators that bind tighter than the given strength.
func (p *parser) expr(strength int) (expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("at byte %d: nested deeper than %d", p.peek().at, maxDepth)
	}
	defer func() { p.depth-- }()
	left, err := p.unary()
	for err == nil {
		t := p.peek()
		if t.kind != infix || t.op.strength() <= strength {
			return left, nil
		}
		p.next++
		var right expr
		right, err = p.expr(t.op.strength())
		left = &binary{op: t.op, left: left, right: right}
	}
	return nil, err
}

func (p *parser) unary() (expr, error) {
	if !p.is("-") {
		return p.path()
	}
	of, err := p.expr(7)
	return negate{of}, err
}

// path reads a location path, or another operand if no step follows it.
func (p *parser) path() (expr, error) {
	result := &path{}
	switch t := p.peek(); {
	case t.kind == literalToken, t.kind == numberToken, t.kind == symbol && t.text == "(", p.atCall():
		from, err := p.primary()
		if err != nil {
			return nil, err
		}
		filters, err := p.predicates()
		if err != nil {
			return nil, err
		}
		if t := p.peek(); len(filters) == 0 && (t.kind != symbol || t.text != "/" && t.text != "//") {
			return from, nil
		}
		result.from, result.filters = from, filters
		if !p.is("/") {
			if !p.is("//") {
				return result, nil
			}
			result.steps = append(result.steps, anything())
		}
	case p.is("//"):
		result.absolute = true
		result.steps = append(result.steps, anything())
	case p.is("/"):
		result.absolute = true
		if !p.atStep() {
			return result, nil
		}
	}
	return result, p.steps(result)
}

// anything is what // stands for.
func anything() *step { return &step{axis: descendantOrSelf} }

func (p *parser) steps(to *path) error {
	for {
		s, err := p.step()
		if err != nil {
			return err
		}
		to.steps = append(to.steps, s)
		if p.is("//") {
			to.steps = append(to.steps, anything())
		} else if !p.is("/") {
			return nil
		}
	}
}

// atStep reports whether a step can start here.
func (p *parser) atStep() bool {
	t := p.peek()
	return t.kind == nameToken || t.kind == symbol && (t.text == "." || t.text == ".." || t.text == "*" || t.text == "@")
}

// atCall reports whether a function is called here.
func (p *parser) atCall() bool {
	t := p.peek()
	if t.kind != nameToken || t.text == "node" || t.text == "text" || p.next+1 >= len(p.tokens) {
		return false
	}
	after := p.tokens[p.next+1]
	return after.kind == symbol && after.text == "("
}

func (p *parser) step() (*step, error) {
	switch {
	case p.is("."):
		return &step{axis: self}, nil
	case p.is(".."):
		return &step{axis: parent}, nil
	}
	s := &step{axis: child}
	if p.is("@") {
		s.axis = attribute
	} else if t := p.peek(); t.kind == nameToken && p.tokens[p.next+1].text == "::" && p.tokens[p.next+1].kind == symbol {
		a, ok := axisOf(t.text)
		if !ok {
			return nil, fmt.Errorf("at byte %d: there is no axis %q", t.at, t.text)
		}
		s.axis = a
		p.next += 2
	}
	if err := p.nodeTest(s); err != nil {
		return nil, err
	}
	var err error
	s.preds, err = p.predicates()
	return s, err
}

func (p *parser) nodeTest(s *step) error {
	t := p.peek()
	switch {
	case p.is("*"):
		s.name = "*"
		return nil
	case t.kind != nameToken:
		return p.unexpected("a name, *, . or ..")
	}
	p.next++
	if !p.is("(") {
		s.name = t.text
		return nil
	}
	if t.text != "node" && t.text != "text" || !p.is(")") {
		return fmt.Errorf("at byte %d: %s() cannot stand here", t.at, t.text)
	}
	s.text = t.text == "text"
	return nil
}

func (p *parser) predicates() ([]*pred, error) {
	var list []*pred
	for p.is("[") {
		e, err := p.expr(0)
		if err != nil {
			return nil, err
		}
		if !p.is("]") {
			return nil, p.unexpected("]")
		}
		list = append(list, newPred(e))
	}
	return list, nil
}

func (p *parser) primary() (expr, error) {
	t := p.peek()
	p.next++
	switch {
	case t.kind == literalToken:
		return literal{t.text}, nil
	case t.kind == numberToken:
		return number{t.value}, nil
	case t.kind == symbol && t.text == "(":
		e, err := p.expr(0)
		if err == nil && !p.is(")") {
			err = p.unexpected(")")
		}
		return e, err
	}
	return p.call(t)
}

func (p *parser) call(t token) (expr, error) {
	fn := functionOf(t.text)
	if fn == nil {
		return nil, fmt.Errorf("at byte %d: there is no function %s()", t.at, t.text)
	}
	p.next++ // the parenthesis, as atCall saw
	c := &call{name: t.text, fn: fn}
	for !p.is(")") {
		if len(c.args) > 0 && !p.is(",") {
			return nil, p.unexpected(", or )")
		}
		arg, err := p.expr(0)
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, arg)
	}
	if n := len(c.args); n < fn.least || n > fn.most {
		return nil, fmt.Errorf("at byte %d: %s() takes %d to %d arguments, not %d", t.at, t.text, fn.least, fn.most, n)
	}
	return c, fn.prepare(c)
}
