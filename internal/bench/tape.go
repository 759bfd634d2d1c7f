package main

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A tape is a connection to a server that notes what the server answers, and can
// then answer in its place: whatever is written, the next read begins with the
// first reply again. A job on it measures clients alone, in one goroutine, and
// both sides pay the same for the connection: a copy of the replies.
type tape struct {
	net.Conn
	replies []byte // to what was written last
	reading bool   // so a write begins something new
	playing bool
	left    []byte // of replies, while playing
}

func (t *tape) Write(b []byte) (int, error) {
	if t.playing {
		t.left = t.replies
		return len(b), nil
	}
	if t.reading {
		t.replies, t.reading = t.replies[:0], false
	}
	return t.Conn.Write(b)
}

func (t *tape) Read(b []byte) (int, error) {
	if t.playing {
		if len(t.left) == 0 {
			return 0, io.ErrUnexpectedEOF // more was asked than the first time
		}
		n := copy(b, t.left)
		t.left = t.left[n:]
		return n, nil
	}
	n, err := t.Conn.Read(b)
	t.replies, t.reading = append(t.replies, b[:n]...), true
	return n, err
}

func (t *tape) SetDeadline(at time.Time) error      { return t.set(at, t.Conn.SetDeadline) }
func (t *tape) SetReadDeadline(at time.Time) error  { return t.set(at, t.Conn.SetReadDeadline) }
func (t *tape) SetWriteDeadline(at time.Time) error { return t.set(at, t.Conn.SetWriteDeadline) }

func (t *tape) set(at time.Time, deadline func(time.Time) error) error {
	if t.playing {
		return nil
	}
	return deadline(at)
}

// taped is work on a tape, by a client of its own or our DB on it. It is done
// on the server until it has been recorded. The second time is the one that
// counts: by then the records exist and scripts are known.
func (s *stand) taped(begin func(client *redis.Client, db *pipectx.DB) work) work {
	t, o := &tape{}, *s.goredis.Options()
	dial := o.Dialer
	o.PoolSize = 1
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if t.Conn != nil {
			return nil, errors.New("the tape's connection was lost")
		}
		conn, err := dial(ctx, network, addr)
		t.Conn = conn
		return t, err
	}
	client := redis.NewClient(&o)
	db, err := pipectx.New(client)
	if err != nil {
		panic(err) // only a client of an unknown type is refused
	}
	s.clients = append(s.clients, client)
	times, do := 0, begin(client, db)
	return func(ctx context.Context) error {
		times++
		t.playing = times > 2
		return do(ctx)
	}
}
