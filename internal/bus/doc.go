// Package bus is what several processes of the service share over NATS: a
// durable log of what devices sent, in JetStream, and notices that something
// was published or edited. A process that is alone needs neither: its log is
// the store's.
//
// It refuses to know what is in an entry: the log's shape is patrol.Log's,
// without importing it. NATS is used nowhere else.
//
// What is acknowledged is as safe as the server makes it. A server that is
// alone must be told to write through (jetstream { sync_interval: always }):
// by its default it acknowledges what it writes to disk up to two minutes
// later. Of three servers with Replicas 3 one may be lost without.
package bus
