package forwarding

import (
	"testing"

	"github.com/switchlet/switchlet/deploy/lab/uml/umltest"
)

func TestMain(m *testing.M) { umltest.Main(m) }
