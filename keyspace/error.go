package keyspace

import "fmt"

// PositionError says which of many items a verb failed for. Of what cannot be encoded
// it names the one; of a command that the server refused, all that it carried: those
// before From have been written.
type PositionError struct {
	From, To int // positions, from 0; both included
	Of       int // how many items there were
	Err      error
}

func (e *PositionError) Error() string {
	if e.From == e.To {
		return fmt.Sprintf("%v (item %d of %d, from 0)", e.Err, e.From, e.Of)
	}
	return fmt.Sprintf("%v (items %d to %d of %d, from 0)", e.Err, e.From, e.To, e.Of)
}

// Unwrap returns what the item or the command failed with.
func (e *PositionError) Unwrap() error { return e.Err }
