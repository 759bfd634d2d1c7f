package main

import (
	"fmt"
	"math"
	"strings"
)

// The plane of a plot, in pixels: the axes with their labels stand around it, the
// names of the lines and the caption above and below.
const (
	width, height           = 720, 400
	left, right, above, low = 70, 20, 60, 70
)

// colours of lines on light and on dark ground: both are told apart by those who do
// not see red and green.
var colours = []struct{ light, dark string }{
	{"#0b63b5", "#6cb6ff"}, {"#c4540a", "#ffa657"}, {"#1a7f5a", "#56d4a0"}, {"#7a4fb5", "#d2a8ff"},
}

// draw is the figure as SVG: sizes on a logarithmic axis, values on one that begins
// at zero. It brings its own ground, since a page's may be any.
func (f *figure) draw() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="sans-serif" font-size="13">
<title>%s, by %s</title>
<style>
.ground { fill: #ffffff } text { fill: #24292f } .grid { stroke: #d8dee4 } .axis { stroke: #57606a }
`, width, height, escape(f.y), escape(f.x))
	for i, c := range colours[:len(f.lines)] {
		fmt.Fprintf(&b, ".l%d { stroke: %s; fill: none } .p%[1]d { fill: %[2]s }\n", i, c.light)
	}
	b.WriteString("@media (prefers-color-scheme: dark) {\n.ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e }\n")
	for i, c := range colours[:len(f.lines)] {
		fmt.Fprintf(&b, ".l%d { stroke: %s } .p%[1]d { fill: %[2]s }\n", i, c.dark)
	}
	fmt.Fprintf(&b, "}\n</style>\n<rect class=\"ground\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", width, height)

	x, y, top, step := f.scales()
	for v := 0.0; v <= top+step/2; v += step {
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		fmt.Fprintf(&b, `<line class="%s" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			class, left, y(v), width-right, y(v), left-8, y(v)+4, tick(v, step))
	}
	for _, p := range f.lines[0].points {
		fmt.Fprintf(&b, `<line class="axis" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			x(p.n), height-low, x(p.n), height-low+5, x(p.n), height-low+20, thousands(p.n))
	}
	at := left
	for i, l := range f.lines {
		var path strings.Builder
		for _, p := range l.points {
			fmt.Fprintf(&path, "%.1f,%.1f ", x(p.n), y(p.y))
		}
		fmt.Fprintf(&b, `<polyline class="l%d" stroke-width="2" points="%s"/>`+"\n", i, strings.TrimSpace(path.String()))
		for _, p := range l.points {
			fmt.Fprintf(&b, `<circle class="p%d" cx="%.1f" cy="%.1f" r="3.5"/>`, i, x(p.n), y(p.y))
		}
		fmt.Fprintf(&b, "\n"+`<rect class="p%d" x="%d" y="38" width="14" height="4"/><text x="%d" y="45">%s</text>`+"\n", i, at, at+20, escape(l.name))
		at += 40 + 7*len(l.name)
	}
	fmt.Fprintf(&b, `<text x="%d" y="22" font-weight="bold">%s</text>
<text x="%d" y="%d" text-anchor="middle">%s</text>
</svg>
`, left, escape(f.y), (left+width-right)/2, height-18, escape(f.x))
	return b.String()
}

// scales returns where sizes and values stand, the end of the axis of values, and
// the step between its marks.
func (f *figure) scales() (x func(n int) float64, y func(v float64) float64, top, step float64) {
	most := 0.0
	for _, l := range f.lines {
		for _, p := range l.points {
			most = max(most, p.y)
		}
	}
	step = round(most / 5)
	top = step * math.Ceil(most/step)
	points := f.lines[0].points
	first, last := math.Log(float64(points[0].n)), math.Log(float64(points[len(points)-1].n))
	return func(n int) float64 {
			if first == last {
				return (left + width - right) / 2
			}
			const inset = 20
			return left + inset + (math.Log(float64(n))-first)/(last-first)*(width-left-right-2*inset)
		}, func(v float64) float64 {
			return height - low - v/top*(height-low-above)
		}, top, step
}

// round is the next of 1, 2, 5, 10 and so on.
func round(v float64) float64 {
	if v <= 0 {
		return 1
	}
	ten := math.Pow(10, math.Floor(math.Log10(v)))
	for _, nice := range []float64{1, 2, 5} {
		if v <= nice*ten {
			return nice * ten
		}
	}
	return 10 * ten
}

// tick is a mark of the axis of values, with as many digits as its step needs.
func tick(v, step float64) string {
	if step >= 1 {
		return thousands(int(v + 0.5))
	}
	return fmt.Sprintf("%.*f", int(math.Ceil(-math.Log10(step))), v)
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
