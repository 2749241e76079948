package neighbors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/redis"
)

// Tables and keys of SONiC's lldp service, beside those of package sonic.
const (
	tableFeature = "FEATURE"
	tableEntries = "LLDP_ENTRY_TABLE"
	lldpFeature  = "lldp"
	metadataName = "localhost"
)

// LLDP_LOC_CHASSIS is one row that belongs to no table. To read it as a row of a
// table it is taken apart at its last "_".
const (
	tableLocal     = "LLDP_LOC"
	localRow       = "CHASSIS"
	localSeparator = "_"
)

// relist is how often it is looked whether ports have come or gone, which they
// do when somebody breaks one out. To list them costs Redis a walk through all
// of CONFIG_DB.
const relist = time.Minute

// sight is what a switch's databases say at one moment.
type sight struct {
	service service
	ports   map[string]port // by SONiC's name
	own     system          // by DEVICE_METADATA
	local   system          // by LLDP_LOC_CHASSIS
	isLocal bool            // local is there
	heard   []v1alpha1.LLDPNeighbor
}

// source reads a switch's databases. It is told that lldp_syncd has written
// neighbours, which it does every 10 s, be it only their age; all are read then, and
// not the rows that were told.
type source struct {
	config *redis.Client
	tables *redis.Tables
	local  *redis.Tables
	news   *redis.Announcements

	rows   sonic.DB // PORT, FEATURE|lldp, DEVICE_METADATA|localhost
	names  []string // of ports on the front panel
	listed time.Time
}

// openSource finds the databases by database_config.json.
func openSource(file string) (*source, error) {
	databases, err := redis.ReadConfig(file)
	if err != nil {
		return nil, err
	}
	tables, err := redis.NewTables(databases, redis.ConfigDB, sonic.StateDB, sonic.ApplDB)
	if err != nil {
		return nil, err
	}
	appl := databases[sonic.ApplDB]
	appl.Separator = localSeparator
	local, err := redis.NewTables(redis.Databases{sonic.ApplDB: appl}, sonic.ApplDB)
	if err != nil {
		return nil, errors.Join(err, tables.Close())
	}
	return &source{
		config: redis.NewClient(databases[redis.ConfigDB]), tables: tables, local: local,
		news: databases[sonic.ApplDB].Announce(tableEntries), rows: sonic.DB{},
	}, nil
}

// close ends the connections. Whatever it may say is of no interest any more.
func (s *source) close() {
	s.news.Close()
	_ = s.config.Close()
	_ = s.tables.Close()
	_ = s.local.Close()
}

// announced has a value when neighbours were written.
func (s *source) announced() <-chan struct{} { return s.news.Rows() }

// look reads everything. The error is redis.ErrNotInitialized while SONiC loads
// its configuration.
func (s *source) look(ctx context.Context, now time.Time) (sight, error) {
	if err := s.readConfig(ctx, now); err != nil {
		return sight{}, err
	}
	state, err := s.tables.Rows(ctx, sonic.StateDB, tableFeature, []string{lldpFeature})
	if err != nil {
		return sight{}, err
	}
	local, err := s.local.Rows(ctx, sonic.ApplDB, tableLocal, []string{localRow})
	if err != nil {
		return sight{}, err
	}
	entries, err := s.tables.Rows(ctx, sonic.ApplDB, tableEntries, s.names)
	if err != nil {
		return sight{}, err
	}
	seen := s.sight()
	seen.service.System = state[lldpFeature]["system_state"]
	seen.local, seen.isLocal = localChassis(local[localRow])
	for _, name := range s.names {
		if n, ok := parseEntry(name, entries[name]); ok {
			seen.heard = append(seen.heard, n)
		}
	}
	return seen, nil
}

// readConfig brings the rows of CONFIG_DB up to date.
func (s *source) readConfig(ctx context.Context, now time.Time) error {
	keys := []sonic.Key{
		{Table: tableFeature, Name: lldpFeature}, {Table: sonic.TableDeviceMetadata, Name: metadataName},
	}
	if now.Sub(s.listed) < relist {
		err := s.config.Read(ctx, s.rows, keys)
		if err != nil {
			s.listed = time.Time{} // SONiC loads another configuration
		}
		return err
	}
	names, err := s.tables.Names(ctx, redis.ConfigDB, sonic.TablePort)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("CONFIG_DB has no %s: %w", sonic.TablePort, redis.ErrNotInitialized)
	}
	for _, name := range names {
		keys = append(keys, sonic.Key{Table: sonic.TablePort, Name: name})
	}
	rows := sonic.DB{}
	// Only after the list: if SONiC had begun to load its configuration by then,
	// this says so.
	if err := s.config.Read(ctx, rows, keys); err != nil {
		return err
	}
	s.rows, s.names, s.listed = rows, slices.DeleteFunc(names, func(name string) bool { return internal(rows, name) }), now
	return nil
}

// internal reports whether a port is inside of the switch, such as one to a
// backplane, where nobody plugs in a cable (sonic-port.yang, role).
func internal(rows sonic.DB, name string) bool {
	role := value(rows[sonic.Key{Table: sonic.TablePort, Name: name}], "role")
	return role != "" && role != "Ext"
}

// sight is what the rows of CONFIG_DB say.
func (s *source) sight() sight {
	metadata := s.rows[sonic.Key{Table: sonic.TableDeviceMetadata, Name: metadataName}]
	feature := s.rows[sonic.Key{Table: tableFeature, Name: lldpFeature}]
	seen := sight{service: service{Feature: value(feature, "state")}, ports: map[string]port{}, own: ownSystem(metadata)}
	for _, name := range s.names {
		seen.ports[name] = newPort(name, s.rows[sonic.Key{Table: sonic.TablePort, Name: name}])
	}
	return seen
}
