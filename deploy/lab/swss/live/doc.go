// Package live runs the daemons of package swss on a real Redis with SONiC's
// databases: it follows the keyspace events of CONFIG_DB and writes STATE_DB,
// APPL_DB and ASIC_DB.
//
//	service, err := live.New(live.Config{DatabaseConfig: box.DatabaseConfig()})
//	go service.Run(ctx)
//	…                              // write CONFIG_DB
//	err = service.Quiet(ctx)       // until the daemons have come to rest
//	mistakes := service.Mistakes()
//
// With a Plane, what the daemons say is forwarded before it can be read.
//
// A loss of Redis and a `config reload` (CONFIG_DB_INITIALIZED is set again)
// are to the daemons what they are on a switch: they stop, their rows go, and
// they start again on what CONFIG_DB has then. The record of mistakes stays.
package live
