package reconcile

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/switchlet/switchlet/api/v1alpha1"
)

// noted ends the message of a condition with what is worth knowing and no mistake,
// such as a neighbour that is no Switch and no Host.
func noted(c metav1.Condition, notes []v1alpha1.Problem) metav1.Condition {
	const most = 8
	parts := []string{c.Message}
	for _, n := range notes[:min(len(notes), most)] {
		parts = append(parts, fmt.Sprintf("%s: %s", n.Reason, n.Message))
	}
	if rest := len(notes) - most; rest > 0 {
		parts = append(parts, fmt.Sprintf("And %d notes more.", rest))
	}
	c.Message = strings.Join(parts, " ")
	return c
}
