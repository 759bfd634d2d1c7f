package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

var long = flag.Bool("long", false, "let TestStorm last 20 s")

const (
	urlOfTeller = "BANK_TELLER_URL" // set for a process that is one
	tellers     = 4                 // processes
	windows     = 16                // goroutines in each
	branches    = 3
	perBranch   = 8
	begin       = 1000 // what each account begins with
)

func branch(n int) (ids []AccountID) {
	for number := range int64(perBranch) {
		ids = append(ids, AccountID{fmt.Sprintf("b%d", n), number + 1})
	}
	return ids
}

// teller transfers at random until it is killed. What it is refused is part of the
// storm; anything else that fails it says on its standard error.
func teller(url string) {
	db, err := pipectx.Open(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bank := NewBank(db)
	var begun sync.Once
	for range windows {
		go func() {
			for {
				ids := branch(rand.N(branches))
				from, to := ids[rand.N(perBranch)], ids[rand.N(perBranch)]
				_, err := bank.Transfer(context.Background(), from, to, rand.Int64N(400)).Result()
				var refused *lua.Error
				if err != nil && !errors.As(err, &refused) || refused != nil && (refused.Partial || !strings.Contains("FUNDS LIMIT AMOUNT", refused.Code)) {
					fmt.Fprintln(os.Stderr, "teller:", err)
				}
				begun.Do(func() { fmt.Println("begun") })
			}
		}()
	}
	select {}
}

// Ensure that no money is lost or made while four processes of sixteen goroutines each
// transfer at random, and are killed at random in the middle of it: the total is exact,
// no balance is negative, and each history adds up to its balance.
func TestStorm(t *testing.T) {
	t.Run("server", func(t *testing.T) {
		s := redistest.Server(t)
		storm(t, s.URL())
	})
	t.Run("cluster", func(t *testing.T) {
		storm(t, "redis+cluster://"+strings.Join(redistest.Cluster(t).Addrs(), ","))
	})
}

func storm(t *testing.T, url string) {
	db, err := pipectx.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	bank := NewBank(db)
	for n := range branches {
		for _, id := range branch(n) {
			if err := bank.Open(t.Context(), id, "somebody", 1<<40, begin); err != nil {
				t.Fatal(err)
			}
		}
	}

	lasts := 3 * time.Second
	if *long {
		lasts = 20 * time.Second
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	var kills [tellers]int
	open := make(chan struct{}, tellers) // one for each teller, when its first process is at work
	for i := range tellers {
		all.Go(func() {
			for begun := false; ctx.Err() == nil; kills[i]++ {
				if kill(ctx, t, url) && !begun {
					begun = true
					open <- struct{}{}
				}
			}
		})
	}
	go func() {
		for range tellers {
			select {
			case <-open:
			case <-ctx.Done():
			}
		}
		time.Sleep(lasts)
		cancel()
	}()
	audits := 0
	for ctx.Err() == nil { // while the storm lasts, too
		for n := range branches {
			audit(t, bank, branch(n))
		}
		audits++
	}
	all.Wait()

	entries := int64(0)
	for n := range branches {
		audit(t, bank, branch(n))
		for _, id := range branch(n) {
			a, err := bank.accounts.Get(t.Context(), id).Result()
			if err != nil {
				t.Fatal(err)
			}
			entries += a.Entries
		}
	}
	transfers := (entries - branches*perBranch) / 2
	if transfers < 100 {
		t.Errorf("%d transfers in %v are no storm", transfers, lasts)
	}
	t.Logf("%d transfers, %v kills, %d audits on the way", transfers, kills, audits)
}

// kill lets a process work for a while and kills it. It tells whether the process has
// worked at all.
func kill(ctx context.Context, t *testing.T, url string) bool {
	c := exec.CommandContext(ctx, os.Args[0])
	c.Env = append(os.Environ(), urlOfTeller+"="+url)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Error(err)
		return false
	}
	n, _ := out.Read(make([]byte, 1)) // its first transfer, or its end
	select {
	case <-time.After(rand.N(800 * time.Millisecond)):
	case <-ctx.Done():
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	if said.Len() > 0 {
		t.Errorf("a teller says: %s", said.String())
	}
	return n > 0
}

func audit(t *testing.T, bank *Bank, ids []AccountID) {
	t.Helper()
	total, err := bank.Audit(t.Context(), ids...)
	if err != nil || total != begin*perBranch {
		t.Fatalf("the branch holds %d, want %d: %v", total, begin*perBranch, err)
	}
}
