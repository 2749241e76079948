package converge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"

	"sigs.k8s.io/yaml"

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
	stop    context.CancelFunc
	done    sync.WaitGroup
	gateway v1alpha1.GatewayDialect
	version string
}

// open finds out what the switch is and connects to its CONFIG_DB.
func open(ctx context.Context, files Files, log *slog.Logger) (*session, error) {
	db, err := redis.ReadConfig(files.DatabaseConfig)
	if err != nil {
		return nil, err
	}
	gateways, err := yang.ReadGateways(files.YANGDir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errModels, err)
	}
	s := &session{client: redis.NewClient(db), gateway: dialect(gateways), version: readVersion(files.Version)}
	s.mirror = redis.NewMirror(s.client, sonic.Tables(), log)
	ctx, s.stop = context.WithCancel(ctx)
	s.done.Go(func() { s.mirror.Run(ctx) })
	return s, nil
}

// close ends the connection. Whatever it may say is of no interest any more.
func (s *session) close() {
	s.stop()
	s.done.Wait()
	_ = s.client.Close()
}

// dialect prefers mac_addr where both are known: deleting an interface with a
// static anycast gateway can leave its VRF stuck for good, and setting it again
// makes the link flap.
func dialect(g yang.Gateways) v1alpha1.GatewayDialect {
	switch {
	case g.MACAddress:
		return v1alpha1.GatewayMACAddress
	case g.StaticAnycastGateway:
		return v1alpha1.GatewayStaticAnycastGateway
	}
	return v1alpha1.GatewayNone
}

// maxVersionSize bounds sonic_version.yml, which has some hundred bytes.
const maxVersionSize = 1 << 16

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
