// Package redis is the way to a switch's CONFIG_DB: it finds the database as
// SONiC says where it is, keeps a copy of its rows current by keyspace
// notifications, and writes the stages of a plan.
//
// It writes only while SONiC says that the database is in use
// (CONFIG_DB_INITIALIZED), and makes a row only where there is none. What belongs to
// a row of the agent's by its name is made without such a look.
package redis
