package pipectx_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// behindTLS returns the address of a TLS port before a server. Its certificate is
// its own.
func behindTLS(t *testing.T, server string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // the test has ended
			}
			go func() {
				defer c.Close()
				if c.(*tls.Conn).HandshakeContext(t.Context()) != nil {
					return
				}
				back, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer back.Close()
				go func() { _, _ = io.Copy(back, c) }() // ends with either side
				_, _ = io.Copy(c, back)
			}()
		}
	}()
	return l.Addr().String()
}

// rediss:// speaks TLS; what does not fit says so.
func TestOpenTLS(t *testing.T) {
	addr := behindTLS(t, redistest.Shared(t).Addr)
	const hasty = "dial_timeout=2s&max_retries=-1"
	tests := []struct{ reason, url, text string }{
		{"TLS", "rediss://" + addr + "?skip_verify=true", ""},
		{"a certificate that nobody has signed", "rediss://" + addr + "?" + hasty, "look at its certificate"},
		{"no TLS at a port that wants it", "redis://" + addr + "?" + hasty, "then the scheme is rediss://"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			db, err := pipectx.Open(test.url)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			err = db.Ping(t.Context())
			if test.text == "" {
				if err == nil {
					err = pipectx.Run(t.Context(), db, func(ctx context.Context) error { do(ctx, db, "SET", "k", "v"); return nil })
				}
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("it answers %v, want %q", err, test.text)
			}
		})
	}
}
