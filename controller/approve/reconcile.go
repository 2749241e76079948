package approve

import (
	"context"
	"fmt"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// reason is that of the condition on a request.
const reason = "SwitchletJoin"

type approver struct {
	client client.Client
	// live reads what is true now: a cache may not know yet of a Node, or of what
	// was approved a moment ago.
	live client.Reader
}

// Setup adds the approver to a manager.
func Setup(mgr manager.Manager) error {
	a := &approver{client: mgr.GetClient(), live: mgr.GetAPIReader()}
	ofSwitch := predicate.NewPredicateFuncs(func(o client.Object) bool {
		request, ok := o.(*certificatesv1.CertificateSigningRequest)
		if !ok {
			return false
		}
		_, _, ours := Switch(request.Spec)
		return ours && len(request.Status.Conditions) == 0
	})
	err := builder.ControllerManagedBy(mgr).Named("approve").
		For(&certificatesv1.CertificateSigningRequest{}, builder.WithPredicates(ofSwitch)).
		Complete(a)
	if err != nil {
		return fmt.Errorf("approve certificates: %w", err)
	}
	return nil
}

// Reconcile decides about one request, once. There is one worker, so two requests
// with one token are decided about one after the other.
func (a *approver) Reconcile(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
	var request certificatesv1.CertificateSigningRequest
	if err := a.live.Get(ctx, r.NamespacedName, &request); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if len(request.Status.Conditions) > 0 {
		return reconcile.Result{}, nil
	}
	facts, err := a.facts(ctx, &request)
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("request %s: %w", request.Name, err)
	}
	decision := Decide(request.Spec, facts)
	if decision.Verdict == Ignore {
		return reconcile.Result{}, nil
	}
	kind := certificatesv1.CertificateApproved
	if decision.Verdict == Deny {
		kind = certificatesv1.CertificateDenied
	}
	request.Status.Conditions = append(request.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: decision.Message,
	})
	if err := a.client.SubResource("approval").Update(ctx, &request); err != nil {
		return reconcile.Result{}, fmt.Errorf("request %s: %w", request.Name, err)
	}
	log.FromContext(ctx).Info("certificate of a switch", "request", request.Name, "by", request.Spec.Username, "condition", kind, "because", decision.Message)
	return reconcile.Result{}, nil
}

// facts are read anew for each request: there is one for each switch that joins.
func (a *approver) facts(ctx context.Context, request *certificatesv1.CertificateSigningRequest) (Facts, error) {
	var facts Facts
	name, _, ok := Switch(request.Spec)
	if !ok {
		return facts, nil
	}
	node := metav1.PartialObjectMetadata{}
	node.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Node"))
	err := a.live.Get(ctx, client.ObjectKey{Name: name}, &node)
	if client.IgnoreNotFound(err) != nil {
		return facts, err
	}
	facts.Exists = !apierrors.IsNotFound(err)
	var all certificatesv1.CertificateSigningRequestList
	if err := a.live.List(ctx, &all); err != nil {
		return facts, err
	}
	for _, other := range all.Items {
		if other.Spec.Username == request.Spec.Username && approved(other) && !sameKey(other.Spec.Request, request.Spec.Request) {
			facts.Approved = true
		}
	}
	return facts, nil
}

func approved(request certificatesv1.CertificateSigningRequest) bool {
	for _, condition := range request.Status.Conditions {
		if condition.Type == certificatesv1.CertificateApproved {
			return true
		}
	}
	return false
}
