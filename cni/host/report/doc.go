// Package report tells the API server what the agent has found: the status of
// its Host. It writes when something has changed, as soon as there is a Host, which
// the controller makes and never the agent.
package report
