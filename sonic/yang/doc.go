// Package yang checks CONFIG_DB against the YANG models that lie on a switch, as
// SONiC's own validator does (sonic_yang over libyang): what passes here, config
// reload, config apply-patch and an image upgrade will take too.
//
//	schema, err := yang.Load("/usr/local/yang-models", "/usr/share/yang/modules/libyang")
//	checker := yang.NewChecker(schema, rows)
//	checker.Violations()   // of all rows
//	checker.Check(changes) // of the rows as if changed: only what a change can affect is looked at
//	checker.Commit(changes)
//
// Load parses the models and compiles them into a Schema of its own, a few MiB; a
// Checker holds, for the rows of one box, where to find them by the values that
// the models' expressions ask for. Expressions are evaluated by package xpath,
// values are checked by package datatype.
//
// Where libyang goes beyond RFC 7950 or stays behind it, this package follows
// libyang.
package yang
