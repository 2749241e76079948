// Package report tells the API server what the agent has found: the status of
// its Host. It writes when something has changed, the newest word only, as soon
// as there is a Host, which the controller makes and never the agent.
//
// It stands on client-go's REST client alone, and follows one object with one
// request: caches and clients of Kubernetes's own kinds would make the agent
// several times as large, and it runs on every node.
package report
