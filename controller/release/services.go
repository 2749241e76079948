package release

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// changes are the services of the target that a switch does not have.
func changes(target Target, s *Switch) []v1alpha1.ReleaseServiceChange {
	var out []v1alpha1.ReleaseServiceChange
	for _, service := range target.Services {
		if have := s.Labels[service.Name]; have != service.Hash {
			out = append(out, v1alpha1.ReleaseServiceChange{Name: service.Name, From: have, To: service.Hash})
		}
	}
	return out
}

// onePass are the changes of one pass. The agent is changed in one of its own, before all
// others: it is the one that drains, checks and reports, and no switch that is drained
// has to be without it.
func onePass(all []v1alpha1.ReleaseServiceChange) []v1alpha1.ReleaseServiceChange {
	if i := slices.IndexFunc(all, ofAgent); i >= 0 {
		return all[i : i+1]
	}
	return all
}

func ofAgent(c v1alpha1.ReleaseServiceChange) bool { return c.Name == v1alpha1.ServiceAgent }

// sameTarget says whether changes still lead to the target.
func sameTarget(target Target, all []v1alpha1.ReleaseServiceChange) bool {
	return !slices.ContainsFunc(all, func(c v1alpha1.ReleaseServiceChange) bool {
		return !slices.ContainsFunc(target.Services, func(s Service) bool { return s.Name == c.Name && s.Hash == c.To })
	})
}

// label is what the Node has to say for a service on its way to a hash: nothing
// while it says another one, or a pod of another version is there, so that two
// never run at once.
func label(s *Switch, service, hash string) string {
	if have := s.Labels[service]; have != "" && have != hash {
		return ""
	}
	for _, p := range s.Pods {
		if p.Service == service && p.Hash != hash {
			return ""
		}
	}
	return hash
}

// state says what the pod of a service waits for on its way to a hash; empty if it
// runs, or if none is wanted and none is there. Trouble is why it will not run.
func state(s *Switch, service, hash string) (waits, trouble string) {
	waits = "waits for its pod"
	if hash == "" {
		waits = ""
	}
	for _, p := range s.Pods {
		switch {
		case p.Service != service:
		case p.Hash != hash:
			return "waits for the pod of another version to end", ""
		case p.Trouble != "":
			trouble = p.Trouble
		case p.Ready:
			waits = ""
		default:
			waits = "waits for its pod to be ready"
		}
	}
	if trouble == "" && s.Labels[service] != hash {
		waits = "waits to be admitted"
	}
	if trouble != "" {
		waits = trouble
	}
	return waits, trouble
}

// look says of each change what its pod waits for, and of all together; trouble is
// why one of them will not run.
func look(s *Switch, all []v1alpha1.ReleaseServiceChange, side func(v1alpha1.ReleaseServiceChange) string) (waits, trouble string) {
	var texts []string
	for i := range all {
		c := &all[i]
		wait, bad := state(s, c.Name, side(*c))
		c.Message = wait
		if wait != "" {
			texts = append(texts, fmt.Sprintf("%s %s", c.Name, wait))
		}
		if bad != "" && trouble == "" {
			trouble = fmt.Sprintf("%s: %s", c.Name, bad)
		}
	}
	return strings.Join(texts, "; "), trouble
}

// unwell says what is wrong with the pods that a switch is to have; empty if nothing is.
func unwell(s *Switch, target Target) string {
	var texts []string
	for _, service := range target.Services {
		hash := s.Labels[service.Name]
		if hash == "" {
			continue
		}
		if waits, _ := state(s, service.Name, hash); waits != "" {
			texts = append(texts, service.Name+" "+waits)
		}
	}
	return strings.Join(texts, "; ")
}
