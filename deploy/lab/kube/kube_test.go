package kube_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/kube"
	"github.com/switchlet/switchlet/deploy/lab/labtest"
)

func TestOneBinaryIsAllPrograms(t *testing.T) {
	folder := labtest.Kubernetes(t)
	for _, name := range kube.Names() {
		flag := "--version"
		if name == "kubectl" {
			flag = "version=--client"
		}
		args := strings.Split(flag, "=")
		output, err := exec.CommandContext(t.Context(), filepath.Join(folder, name), args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s %s: %v\n%s", name, flag, err, output)
		}
		if want := "v1."; name != "etcd" && !strings.Contains(string(output), want) {
			t.Errorf("%s says %q, want a version such as v1.36.3", name, output)
		}
	}
}
