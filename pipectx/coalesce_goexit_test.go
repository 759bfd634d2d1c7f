package pipectx_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A function of OnError that ends its goroutine answers its own caller, and the next
// verbs go on.
func TestCoalescedOnErrorGoexits(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t), pipectx.Coalesce())
	do(t.Context(), db, "SET", "text", "x")
	within(t, 5*time.Second, "it", func() { culprits["OnError"](t.Context(), db, runtime.Goexit) })
	within(t, 5*time.Second, "what comes later", func() {
		for range 5 {
			do(t.Context(), db, "PING")
		}
	})
}
