package demo

import (
	"fmt"
	"os"
	"strings"
)

// Progress is a bar on standard error, drawn only where that is a terminal.
type Progress struct {
	label       string
	done, total int
	drawn       int // per cent
	terminal    bool
}

// NewProgress begins a bar for work of so many steps.
func NewProgress(label string, total int) *Progress {
	info, err := os.Stderr.Stat()
	return &Progress{label: label, total: total, drawn: -1,
		terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// Add tells of n more steps done, and draws the bar when it has changed.
func (p *Progress) Add(n int) {
	p.done += n
	percent := 100
	if p.total > 0 {
		percent = min(100*p.done/p.total, 100)
	}
	if !p.terminal || percent == p.drawn {
		return
	}
	p.drawn = percent
	const width = 40
	full := width * percent / 100
	fmt.Fprintf(os.Stderr, "\r%s [%s%s] %3d%% %d/%d", p.label, strings.Repeat("=", full), strings.Repeat(" ", width-full), percent, p.done, p.total)
}

// End ends the bar's line.
func (p *Progress) End() {
	if p.terminal && p.drawn >= 0 {
		fmt.Fprintln(os.Stderr)
	}
}
