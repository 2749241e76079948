package converge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/switchlet/switchlet/agent/probe"
	"github.com/switchlet/switchlet/api/v1alpha1"
	"github.com/switchlet/switchlet/sonic"
	"github.com/switchlet/switchlet/sonic/redis"
	"github.com/switchlet/switchlet/sonic/yang"
)

// Files says where SONiC's files are.
type Files struct {
	// DatabaseConfig is database_config.json.
	DatabaseConfig string
	// YANGDir is the folder of the YANG models.
	YANGDir string
	// IETFDir is the folder of the IETF modules that the models import, if they
	// are not among them.
	IETFDir string
	// Version is sonic_version.yml.
	Version string
}

// errModels says that the box's YANG models cannot be read. Nothing is written
// then: what is not known to be in the models must not get into CONFIG_DB.
var errModels = errors.New("the YANG models of the switch cannot be read")

// session is a connection to a switch, with what was found out about it.
type session struct {
	client  *redis.Client
	mirror  *redis.Mirror
	markers *redis.Markers
	tables  *redis.Tables
	prober  *probe.Prober
	asksFRR bool // the prober asks FRR itself for its sessions
	stop    context.CancelFunc
	done    sync.WaitGroup
	gateway v1alpha1.GatewayDialect
	schema  *yang.Schema
	// validator is nil until the rows have been read.
	validator *validator
	// balance is nil until there is something to compare, and when what it knew
	// is outdated.
	balance *sonic.Balance
	version string
}

// open finds out what the switch is and connects to its databases.
func open(ctx context.Context, cfg Config, schema *yang.Schema, log *slog.Logger) (*session, error) {
	databases, err := redis.ReadConfig(cfg.Files.DatabaseConfig)
	if err != nil {
		return nil, err
	}
	markers, err := redis.NewMarkers(databases)
	if err != nil {
		return nil, err
	}
	tables, err := redis.NewTables(databases, sonic.StateDB, sonic.ApplDB)
	if err != nil {
		return nil, errors.Join(err, markers.Close())
	}
	s := &session{
		tables: tables, prober: probe.New(probe.Config{Tables: tables, APIServer: cfg.APIServer}),
		client: redis.NewClient(databases[redis.ConfigDB]), markers: markers,
		schema: schema, gateway: dialect(schema), version: readVersion(cfg.Files.Version),
	}
	s.mirror = redis.NewMirror(s.client, log)
	ctx, s.stop = context.WithCancel(ctx)
	s.done.Go(func() { s.mirror.Run(ctx) })
	s.done.Go(func() { s.markers.Run(ctx) })
	return s, nil
}

// close ends the connection. Whatever it may say is of no interest any more.
func (s *session) close() {
	s.stop()
	s.done.Wait()
	_ = s.client.Close()
	_ = s.markers.Close()
	_ = s.tables.Close()
}

// dialect prefers mac_addr where both are known: deleting an interface with a
// static anycast gateway can leave its VRF stuck for good, and setting it again
// makes the link flap.
func dialect(schema *yang.Schema) v1alpha1.GatewayDialect {
	knows := sonic.KnowsGateways(schema.Table, schema.Field)
	switch {
	case knows.MACAddress:
		return v1alpha1.GatewayMACAddress
	case knows.StaticAnycastGateway:
		return v1alpha1.GatewayStaticAnycastGateway
	}
	return v1alpha1.GatewayNone
}

// maxVersionSize bounds sonic_version.yml, which has some hundred bytes.
const maxVersionSize = 1 << 16

// loadModels reads the switch's YANG models. The IETF modules that they import
// lie beside them or where libyang has its own.
func loadModels(files Files) (*yang.Schema, error) {
	var more []string
	if _, err := os.Stat(files.IETFDir); err == nil {
		more = append(more, files.IETFDir)
	}
	schema, err := yang.Load(files.YANGDir, more...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errModels, err)
	}
	// Parsing leaves a hundred times of what is kept.
	debug.FreeOSMemory()
	return schema, nil
}

// readVersion is SONiC's build version, empty if the file does not tell.
func readVersion(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxVersionSize))
	if err != nil {
		return ""
	}
	var version struct {
		Build string `json:"build_version"`
	}
	if err := yaml.Unmarshal(text, &version); err != nil {
		return ""
	}
	return version.Build
}
