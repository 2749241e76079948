package converge

import (
	"context"
	"time"

	"github.com/switchlet/switchlet/sonic"
)

// tooSoon looks, before rows are made, whether a daemon still has something of
// earlier rows of the same names: the new ones would be lost on it.
func (c *Converger) tooSoon(ctx context.Context, stage sonic.Stage) error {
	held, err := c.session.markers.Missing(ctx, traces(stage, len(c.quarantine.failures) > 0))
	if err != nil || len(held) == 0 {
		return err
	}
	c.stuck.add(held, nil, time.Now())
	return errAgain
}

// traces are the markers of the rows that a stage makes, which must not be there
// yet: of VRFs, and of all rows if owners that were left out may be among theirs.
// A daemon may have taken such a row only after it was given up.
func traces(stage sonic.Stage, all bool) []sonic.Marker {
	rows, keys := sonic.DB{}, []sonic.Key(nil)
	var markers []sonic.Marker
	for _, command := range stage.Commands {
		vrf := command.Key.Table == sonic.TableVRF
		if !command.Op.Makes() || !vrf && !all {
			continue
		}
		rows[command.Key] = command.Fields
		keys = append(keys, command.Key)
		if vrf {
			markers = append(markers, linkOf(command.Key))
		}
	}
	markers = append(markers, rows.Accepted(keys)...)
	for i := range markers {
		markers[i].Gone = true
	}
	return markers
}

// linkOf is the row by which vrfmgrd shows that it has a VRF. It comes before
// orchagent's VRF_OBJECT_TABLE, and vrfmgrd carries out a delete only once that
// is there (sonic-swss, cfgmgr/vrfmgr.cpp). So of a VRF that orchagent was slow
// to take, and that was deleted meanwhile, this is the only trace; set again
// before it is gone, the VRF would stay half-dead.
func linkOf(vrf sonic.Key) sonic.Marker {
	return sonic.Marker{Row: vrf, DB: sonic.StateDB, Key: "VRF_TABLE" + sonic.Separator + vrf.Name}
}
