package swss

import (
	"maps"
	"slices"
)

// Memory is a CONFIG_DB in memory with daemons on it, which hear of each
// command as those on Redis do.
type Memory struct {
	*Daemons
	config map[string]Row
}

// NewMemory is a CONFIG_DB without rows; its daemons are stopped. The
// configuration's Read is not used.
func NewMemory(cfg Config) *Memory {
	m := &Memory{config: map[string]Row{}}
	cfg.Read = func(keys []string) ([]Row, error) {
		read := make([]Row, len(keys))
		for i, key := range keys {
			read[i] = maps.Clone(m.config[key])
		}
		return read, nil
	}
	m.Daemons = New(cfg)
	return m
}

// Boot starts the daemons on the rows that are there.
func (m *Memory) Boot() error { return m.Start(m.Keys()) }

// Keys of the rows of CONFIG_DB, in rising order.
func (m *Memory) Keys() []string { return slices.Sorted(maps.Keys(m.config)) }

// Row is a row of CONFIG_DB, nil if it is not there. It must not be changed.
func (m *Memory) Row(key string) Row { return m.config[key] }

// Set is HSET.
func (m *Memory) Set(key string, fields Row) {
	if m.config[key] == nil {
		m.config[key] = make(Row, len(fields))
	}
	maps.Copy(m.config[key], fields)
	m.Event(key, "hset")
}

// Unset is HDEL: a row without fields is gone, and a field that is not there is
// no event.
func (m *Memory) Unset(key string, names ...string) {
	before := len(m.config[key])
	for _, name := range names {
		delete(m.config[key], name)
	}
	after := len(m.config[key])
	if after < before {
		m.Event(key, "hdel")
	}
	if after == 0 && before > 0 {
		delete(m.config, key)
		m.Event(key, "del")
	}
}

// Delete is DEL.
func (m *Memory) Delete(key string) {
	if m.config[key] != nil {
		delete(m.config, key)
		m.Event(key, "del")
	}
}
