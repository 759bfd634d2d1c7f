package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redmoon-go/redmoon/internal/demo"
)

// A load is what visitors do to a shop, and what they saw.
type load struct {
	url      string
	clients  int
	products int
	requests int // of each client

	mu    sync.Mutex
	took  map[string][]time.Duration // by what was asked for
	codes map[int]int
}

// run has all clients ask at once: nine times of ten for a page, else to buy.
func (l *load) run(ctx context.Context, progress *demo.Progress) error {
	l.took, l.codes = map[string][]time.Duration{}, map[int]int{}
	errs := make(chan error, l.clients)
	for n := range l.clients {
		go func() { errs <- l.visit(ctx, fmt.Sprint("client", n), progress) }()
	}
	var first error
	for range l.clients {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// visit is one client's: with cookies, and with patience where it is told to wait.
func (l *load) visit(ctx context.Context, name string, progress *demo.Progress) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: jar}
	for range l.requests {
		what, method, path := "page", http.MethodGet, ""
		if rand.N(10) == 0 {
			what, method, path = "buy", http.MethodPost, "/buy?n=1"
		}
		// Some products are in demand: most requests are for the first few.
		id := 1 + min(rand.N(l.products), rand.N(l.products), rand.N(l.products))
		for wait := true; wait; {
			start := time.Now()
			code, after, err := ask(ctx, client, method, fmt.Sprintf("%s/products/%d%s", l.url, id, path), name)
			if err != nil {
				return err
			}
			l.saw(what, code, time.Since(start))
			if wait = code == http.StatusTooManyRequests; wait {
				select {
				case <-time.After(after):
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		l.mu.Lock()
		progress.Add(1)
		l.mu.Unlock()
	}
	return nil
}

func ask(ctx context.Context, client *http.Client, method, url, name string) (code int, after time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Client", name)
	answer, err := client.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 500 {
		err = fmt.Errorf("%s: %s: %s", url, answer.Status, text)
	}
	seconds := 0.0
	_, _ = fmt.Sscan(answer.Header.Get("Retry-After"), &seconds) // 0 without the header
	return answer.StatusCode, time.Duration(seconds * float64(time.Second)), err
}

func (l *load) saw(what string, code int, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codes[code]++
	if code == http.StatusOK {
		l.took[what] = append(l.took[what], took)
	}
}

// histogram prints how long requests took: a line for each doubling, and how many
// were in it.
func histogram(out io.Writer, what string, took []time.Duration) {
	slices.Sort(took)
	if len(took) == 0 {
		return
	}
	at := func(share float64) time.Duration {
		return took[int(share*float64(len(took)-1))].Round(time.Microsecond)
	}
	fmt.Fprintf(out, "%s: %d requests, p50 %v, p99 %v, at most %v\n", what, len(took), at(0.5), at(0.99), at(1))
	const width = 50
	counts := map[time.Duration]int{}
	most := 0
	bound := func(d time.Duration) time.Duration {
		b := 125 * time.Microsecond
		for b < d {
			b *= 2
		}
		return b
	}
	for _, d := range took {
		counts[bound(d)]++
		most = max(most, counts[bound(d)])
	}
	for b := bound(took[0]); b <= bound(took[len(took)-1]); b *= 2 {
		line := fmt.Sprintf("  ≤ %-8v %6d %s", b, counts[b], strings.Repeat("█", (counts[b]*width+most-1)/most))
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
}
