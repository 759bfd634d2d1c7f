package cache

// hub hears of what other processes change.
type hub struct{}

func (h *hub) close() {}

// channel is where near caches of the region listen, or "" without them.
func (r *Region) channel() string {
	if r.Near.Entries == 0 {
		return ""
	}
	return "cache.changed{" + r.name + "}"
}
