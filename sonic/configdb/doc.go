// Package configdb reads config_db.json, the file that SONiC keeps CONFIG_DB in:
// table → key → field → string or list of strings.
//
// What comes out are the rows as Redis would hold them after SONiC had loaded the
// file, by the rules of ConfigDBConnector in sonic-swss-common
// (common/configdb.h, typed_to_raw).
package configdb
