package pipectx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Open returns a DB on a client of its own, which Close closes. The URL says
// what to connect to:
//
//	redis://user:password@host:6379/0?read_timeout=3s    one server
//	rediss://…                                           the same over TLS
//	unix:///run/redis.sock?db=0                          a unix socket
//	redis+cluster://host1:7000,host2:7000                a Cluster, by some of its nodes
//	rediss+cluster://…                                   the same over TLS
//	redis+sentinel://host1:26379,host2:26379/name/0      the master that the Sentinels know by name
//
// The parameters are those of redis.ParseURL and redis.ParseClusterURL. It sends
// nothing; [DB.Ping] tells whether the server answers.
func Open(rawURL string, options ...Option) (*DB, error) {
	client, err := dialer(rawURL)
	if err != nil {
		return nil, err
	}
	db, err := New(client, options...)
	if err != nil {
		_ = client.Close() // never used
		return nil, err
	}
	db.owned = append(db.owned, client)
	return db, nil
}

const urlForms = "use redis://host:6379/0, rediss://…, unix:///path, redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/name"

func dialer(rawURL string) (redis.UniversalClient, error) {
	client, err := parseURL(rawURL)
	if err != nil {
		// What url.Parse and ParseURL say may show the password, even as a port.
		if !errors.Is(err, errURL) && shows(err, rawURL) {
			err = errors.New("it cannot be parsed; characters such as / ? # in a password are written as %2F %3F %23")
		}
		return nil, fmt.Errorf("pipectx: open %s: %w; %s", redact(rawURL), err, urlForms)
	}
	return client, nil
}

// shows tells whether a text has any piece of what may be a user or password.
func shows(err error, rawURL string) bool {
	secret := rawURL[:max(strings.LastIndexByte(rawURL, '@'), 0)]
	if _, rest, ok := strings.Cut(secret, "://"); ok {
		secret = rest
	}
	for _, piece := range strings.FieldsFunc(secret, func(r rune) bool { return strings.ContainsRune(":/?#@", r) }) {
		if strings.Contains(err.Error(), piece) {
			return true
		}
	}
	return false
}

// errURL marks errors whose texts are our own.
var errURL = errors.New("wrong URL")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errURL, fmt.Sprintf(format, args...))
}

func parseURL(rawURL string) (redis.UniversalClient, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil, wrong("it has no scheme")
	}
	switch scheme {
	case "redis", "rediss", "unix":
		o, err := redis.ParseURL(rawURL)
		if err != nil {
			return nil, err
		}
		return redis.NewClient(o), nil
	case "redis+cluster", "rediss+cluster":
		o, err := clusterOptions(strings.TrimSuffix(scheme, "+cluster"), rest)
		if err != nil {
			return nil, err
		}
		return redis.NewClusterClient(o), nil
	case "redis+sentinel", "rediss+sentinel":
		o, err := sentinelOptions(strings.TrimSuffix(scheme, "+sentinel"), rest)
		if err != nil {
			return nil, err
		}
		return redis.NewFailoverClient(o), nil
	}
	return nil, wrong("its scheme %q is unknown", scheme)
}

// split takes "user:password@h1:1,h2:2/path?query" apart.
func split(rest string) (user string, hosts []string, tail string) {
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		rest, tail = rest[:i], rest[i:]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		user, rest = rest[:i+1], rest[i+1:]
	}
	for _, host := range strings.Split(rest, ",") {
		if host != "" {
			hosts = append(hosts, host)
		}
	}
	return user, hosts, tail
}

// parse parses a URL whose further hosts become parameters.
func parse(scheme, user string, hosts []string, tail string) (*url.URL, url.Values, error) {
	if len(hosts) == 0 {
		return nil, nil, wrong("it names no host")
	}
	u, err := url.Parse(scheme + "://" + user + hosts[0] + tail)
	if err != nil {
		return nil, nil, err
	}
	query, err := url.ParseQuery(u.RawQuery) // u.Query leaves out what it cannot read
	if err != nil {
		return nil, nil, wrong("its parameters cannot be parsed; %% and & in a value are written as %%25 and %%26")
	}
	for _, host := range hosts[1:] {
		query.Add("addr", host)
	}
	return u, query, nil
}

func clusterOptions(scheme, rest string) (*redis.ClusterOptions, error) {
	user, hosts, tail := split(rest)
	u, query, err := parse(scheme, user, hosts, tail)
	if err != nil {
		return nil, err
	}
	if path := strings.Trim(u.Path, "/"); path != "" && path != "0" {
		return nil, wrong("a Cluster has no database %s, only 0", path)
	}
	u.Path, u.RawQuery = "", query.Encode()
	return redis.ParseClusterURL(u.String())
}

func sentinelOptions(scheme, rest string) (*redis.FailoverOptions, error) {
	user, hosts, tail := split(rest)
	u, query, err := parse(scheme, user, hosts, tail)
	if err != nil {
		return nil, err
	}
	name, db, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if name == "" {
		return nil, wrong("it does not name the master after the hosts")
	}
	query.Set("master_name", name)
	u.Path, u.RawQuery = "/"+db, query.Encode()
	return redis.ParseFailoverURL(u.String())
}

// secrets are parameters of redis.ParseFailoverURL.
var secrets = regexp.MustCompile(`(password=)[^&]*`)

// redact hides what may be a password, also in a URL that is malformed: error
// texts end up in logs.
func redact(rawURL string) string {
	rawURL = secrets.ReplaceAllString(rawURL, "$1…")
	at := strings.LastIndexByte(rawURL, '@')
	if at < 0 {
		return fmt.Sprintf("%q", rawURL)
	}
	scheme, _, ok := strings.Cut(rawURL, "://")
	if !ok {
		return fmt.Sprintf("%q", "…@"+rawURL[at+1:])
	}
	return fmt.Sprintf("%q", scheme+"://…@"+rawURL[at+1:])
}

// Ping asks the server, or each master of a Cluster, whether it answers, and
// whether it is what the client takes it for: a node of a Cluster, or a Sentinel,
// behind the client of a single server is an error. It returns when ctx ends, even
// while a server hangs.
//
// Cost: PING, and INFO for a single server; 1 or 2 commands and 1 round trip, on a
// Cluster for each master, inside Run too.
func (h *DB) Ping(ctx context.Context) error {
	if h.closed.Load() {
		return ErrClosed
	}
	answer := make(chan error, 1)
	go func() {
		if h.conn.cluster != nil {
			answer <- h.conn.cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return c.Ping(ctx).Err() })
			return
		}
		answer <- pingSingle(ctx, h.conn.single.client)
	}()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	var other *otherMode
	switch {
	case err == nil:
		return nil
	case errors.As(err, &other):
		return fmt.Errorf("pipectx: PING: %w", err)
	}
	return fmt.Errorf("pipectx: PING: %w", unreachable(h.conn, err))
}

// pingSingle pings a single server and looks at what it says of itself, if it is
// willing to.
func pingSingle(ctx context.Context, client *redis.Client) error {
	p := client.Pipeline()
	ping, info := p.Ping(ctx), p.Info(ctx, "server")
	_, err := p.Exec(ctx)
	if ping.Val() == "" { // not the error of INFO, which is its own
		return cmp.Or(ping.Err(), err)
	}
	for line := range strings.Lines(info.Val()) {
		mode, ok := strings.CutPrefix(strings.TrimSpace(line), "redis_mode:")
		if cure := modes[mode]; ok && cure != "" {
			return &otherMode{client.Options().Addr + " is " + cure}
		}
	}
	return nil
}

var modes = map[string]string{
	"cluster":  "a node of a Cluster; connect to it with a redis.ClusterClient, or by a redis+cluster:// URL",
	"sentinel": "a Sentinel; connect with redis.NewFailoverClient, or by a redis+sentinel:// URL that names the master",
}

// otherMode says that a server is another kind than its client.
type otherMode struct{ text string }

func (e *otherMode) Error() string { return e.text }
