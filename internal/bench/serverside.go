package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Jobs of scripts are measured by what the server says it took for EVALSHA:
// neither the client nor the network is in it.

var evalshaTime = regexp.MustCompile(`cmdstat_evalsha:calls=\d+,usec=(\d+)`)

// spent is the server's time for EVALSHA so far.
func (s *stand) spent(ctx context.Context) (time.Duration, error) {
	text, err := s.goredis.Info(ctx, "commandstats").Result()
	if err != nil {
		return 0, err
	}
	m := evalshaTime.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("the server has no statistics of EVALSHA")
	}
	us, err := strconv.ParseInt(m[1], 10, 64)
	return time.Duration(us) * time.Microsecond, err
}
