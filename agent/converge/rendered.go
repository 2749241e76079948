package converge

import (
	"github.com/switchlet/switchlet/agent/render"
	"github.com/switchlet/switchlet/api/v1alpha1"
)

// rendered is the outcome of the last rendering, and of what.
type rendered struct {
	spec    *v1alpha1.SwitchConfigSpec
	gateway v1alpha1.GatewayDialect
	wanted  render.Wanted
	err     error
}

// render gives the rows of a spec. The same spec is rendered once.
func (c *Converger) render(spec *v1alpha1.SwitchConfigSpec) (render.Wanted, error) {
	return c.renderInto(&c.rendered, spec)
}

// renderGood gives the rows of the last good spec.
func (c *Converger) renderGood() (render.Wanted, error) {
	return c.renderInto(&c.renderedGood, &c.good.Spec)
}

func (c *Converger) renderInto(r *rendered, spec *v1alpha1.SwitchConfigSpec) (render.Wanted, error) {
	if r.spec != spec || r.gateway != c.session.gateway {
		c.changes++
		wanted, err := render.Render(spec, c.box())
		*r = rendered{spec, c.session.gateway, c.spare(wanted), err}
	}
	return r.wanted, r.err
}

func (c *Converger) box() render.Box {
	return render.Box{Name: c.cfg.Node, Gateway: c.session.gateway, Draining: c.overlay.Routes}
}
