package swss

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Config says how the daemons are. All but Read have defaults.
type Config struct {
	// Read reads rows of CONFIG_DB by their keys, such as "VLAN|Vlan100": nil
	// for one that is not there. All are read at one moment. It may call Event
	// with events of before that moment: they are then taken for read too.
	// Required.
	Read func(keys []string) ([]Row, error)
	// Manager is how long a configuration daemon takes from a change of
	// CONFIG_DB to its marker, and Orchagent how long orchagent takes from
	// there to its own. Default 0: at once.
	Manager, Orchagent time.Duration
	// Tick is how often they try again what could not be done. Default 1 s, as
	// SONiC's.
	Tick time.Duration
	// Rand, if not nil, shuffles the tables at each moment: there is no order
	// between them.
	Rand *rand.Rand
	// Unplugged says that ports have no cable until SetLink says that they do.
	Unplugged bool
}

// Daemons are SONiC's switch state service: vlanmgrd, vrfmgrd, vxlanmgrd,
// intfmgrd, portmgrd and orchagent, as they act on CONFIG_DB. Time is virtual
// and passes in Advance only. Not for several goroutines at once.
type Daemons struct {
	cfg     Config
	db      databases
	catalog catalog
	records

	now     time.Duration
	seq     uint64        // of the last event
	booted  uint64        // the last event before Start
	tick    time.Duration // when to try again; 0: nothing to try
	moved   bool          // something was done since the last tick
	stale   bool          // the last tick achieved nothing
	running bool
	faults  faults

	starting  bool     // Start is reading
	meanwhile []string // rows of events that came while it does

	mac      string // the switch's own
	all      []*consumer
	managers []*consumer            // those of CONFIG_DB
	byTable  map[string][]*consumer // of managers
	orch     *orchagent
	vlanmgr  *vlanmgrd
	vrfmgr   *vrfmgrd
	vxlanmgr *vxlanmgrd
	intfmgr  *intfmgrd
	portmgr  *portmgrd
}

// New is daemons that are stopped; Start starts them.
func New(cfg Config) *Daemons {
	cfg.Tick = cmp.Or(cfg.Tick, time.Second)
	return &Daemons{cfg: cfg, db: newDatabases(), records: newRecords(), catalog: newCatalog(), faults: newFaults()}
}

// metadata is the row that has the switch's own MAC address.
const metadata = "DEVICE_METADATA|localhost"

// Start starts the daemons on a CONFIG_DB that has rows with the given keys:
// each reads all rows of its tables, as if they were set at this moment.
func (d *Daemons) Start(keys []string) error {
	d.starting, d.meanwhile = true, nil
	read, err := d.cfg.Read([]string{metadata})
	d.starting = false
	if err != nil {
		return fmt.Errorf("read %s: %w", metadata, err)
	}
	d.mac = cmp.Or(strings.ToLower(read[0]["mac"]), "02:00:00:00:00:01")
	d.boot()
	d.running, d.stale = true, false
	d.booted = d.seq
	d.catalog = newCatalog()
	for _, key := range slices.Concat(keys, d.meanwhile) {
		if !d.catalog.has(key) {
			d.catalog.add(key, d.booted)
			d.tell(key, event{replay: true, due: d.now + d.cfg.Manager, seq: d.booted})
		}
	}
	return nil
}

// Stop stops the daemons, as `systemctl stop sonic.target` does: what they wrote
// goes, and what is written to CONFIG_DB meanwhile they read at their Start.
func (d *Daemons) Stop() {
	d.running, d.all, d.managers, d.byTable, d.orch, d.tick = false, nil, nil, nil, nil, 0
	d.db.clear()
}

// Running reports whether the daemons were started.
func (d *Daemons) Running() bool { return d.running }

// boot makes the daemons anew, without any memory.
func (d *Daemons) boot() {
	d.db.clear()
	d.managers, d.byTable = nil, map[string][]*consumer{}
	d.orch = newOrchagent(d)
	d.vlanmgr, d.vrfmgr, d.vxlanmgr = newVlanmgrd(d), newVrfmgrd(d), newVxlanmgrd(d)
	d.intfmgr, d.portmgr = newIntfmgrd(d), newPortmgrd(d)
	d.all = slices.Concat(d.managers, d.orch.consumers)
}

// manage adds a consumer of a table of CONFIG_DB.
func (d *Daemons) manage(daemon, table string, set func(string, Row) bool, del func(string) bool) {
	c := newConsumer(daemon, table, set, del)
	d.managers = append(d.managers, c)
	d.byTable[table] = append(d.byTable[table], c)
}

// Event tells the daemons of a keyspace event of CONFIG_DB: the key, and the
// event's name, such as "hset", "hdel" or "del". They act on it in Advance.
func (d *Daemons) Event(key, name string) {
	table, rest, ok := strings.Cut(key, "|")
	if !ok || table == "" || rest == "" {
		return
	}
	if d.starting {
		d.meanwhile = append(d.meanwhile, key)
		return
	}
	d.seq++
	e := event{del: deletes(name), hdel: name == "hdel", due: d.now + d.cfg.Manager, seq: d.seq}
	switch {
	case e.del && d.catalog.has(key):
		d.judgeDelete(key)
		d.catalog.remove(key)
	case !e.del && !d.catalog.has(key):
		d.judgeCreate(key)
		d.catalog.add(key, d.seq)
	}
	if d.running {
		d.stale = false
		d.tell(key, e)
	}
}

// deletes reports whether an event of that name leaves no row.
func deletes(name string) bool {
	return name == "del" || name == "expired" || name == "evicted" || name == "rename_from"
}

// tell passes an event to the daemons that follow the table.
func (d *Daemons) tell(key string, e event) {
	table, rest, _ := strings.Cut(key, "|")
	e.key = rest
	for _, c := range d.byTable[table] {
		c.in = append(c.in, e)
	}
}

// Rows are the rows that the daemons have in a database. They must not be
// changed.
func (d *Daemons) Rows(db string) map[string]Row { return d.db.of[db] }

// Dump is all rows of the daemons, one a line, and what they wait to do.
func (d *Daemons) Dump() string {
	var b strings.Builder
	b.WriteString(d.db.String())
	for _, line := range d.Pending() {
		b.WriteString(line + "\n")
	}
	return b.String()
}
