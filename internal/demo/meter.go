package demo

import (
	"context"
	"sync"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Meter counts what a DB sends: give it to Open as pipectx.Observe(meter).
type Meter struct {
	mu                   sync.Mutex
	commands, roundTrips int
}

// Flushed counts a flush.
func (m *Meter) Flushed(_ context.Context, f pipectx.Flush) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commands += f.Commands
	m.roundTrips += f.RoundTrips
}

// Unread does nothing: pipectx logs it too.
func (m *Meter) Unread(error) {}

// Take returns the commands and round trips since the last Take.
func (m *Meter) Take() (commands, roundTrips int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	commands, roundTrips = m.commands, m.roundTrips
	m.commands, m.roundTrips = 0, 0
	return commands, roundTrips
}
