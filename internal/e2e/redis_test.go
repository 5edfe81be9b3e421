package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a redis-server of the operator's.
type server struct {
	port   string
	cmd    *exec.Cmd
	client *redis.Client
}

func (s *server) addr() string { return "127.0.0.1:" + s.port }

// free is a port that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, err := net.SplitHostPort(ln.Addr().String())
	must(t, err)
	must(t, ln.Close())
	return port
}

// redisServer starts a redis-server and waits until it answers. The test ends it.
func redisServer(t *testing.T, port string, args ...string) *server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("redis-server is missing: `make deps` installs it")
	}
	s := &server{port: port, cmd: exec.Command(path, append(args, "--bind", "127.0.0.1")...)}
	s.cmd.Dir = t.TempDir()
	must(t, s.cmd.Start())
	t.Cleanup(s.stop)
	s.client = redis.NewClient(&redis.Options{Addr: s.addr(), DisableIdentity: true})
	t.Cleanup(func() { _ = s.client.Close() })
	return s
}

func (s *server) stop() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		_ = s.cmd.Wait()
	}
}

// durable are the settings that the journal asks for.
func durable(more ...string) []string {
	return append([]string{"--save", "", "--appendonly", "yes", "--appendfsync", "always"}, more...)
}

// until waits for what a server is to come to.
func until(t *testing.T, what string, there func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !there(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to pass: %s", what)
		}
	}
}

// realRedis starts a redis-server of its own, as an operator would.
func realRedis(t *testing.T) string {
	t.Helper()
	port := free(t)
	return "redis://" + redisServer(t, port, durable("--port", port)...).addr()
}

// tlsRedis speaks TLS alone, under an authority that the programs are told of.
func tlsRedis(t *testing.T) []string {
	t.Helper()
	port := free(t)
	cert, key := certificate(t)
	redisServer(t, port, durable("--port", "0", "--tls-port", port, "--tls-auth-clients", "no", "--requirepass", "letmein",
		"--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert)...)
	until(t, "the TLS port is open", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return []string{"REDIS_URL=rediss://:letmein@127.0.0.1:" + port, "SSL_CERT_FILE=" + cert}
}

// certificate writes a certificate for 127.0.0.1 that vouches for itself, and
// its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret)
}

// watched is a master with a replica, and a Sentinel that watches both.
type watched struct {
	url             string
	master, replica *server
}

func sentinelRedis(t *testing.T) watched {
	t.Helper()
	port, second, third := free(t), free(t), free(t)
	w := watched{url: "redis-sentinel://127.0.0.1:" + third + "/books"}
	w.master = redisServer(t, port, durable("--port", port, "--min-replicas-to-write", "1", "--min-replicas-max-lag", "10")...)
	w.replica = redisServer(t, second, durable("--port", second, "--replicaof", "127.0.0.1 "+port, "--repl-diskless-sync-delay", "0")...)
	until(t, "the replica follows", func() bool {
		info, err := w.replica.client.Info(context.Background(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	must(t, os.WriteFile(conf, fmt.Appendf(nil, "port %s\nsentinel monitor books 127.0.0.1 %s 1\n"+
		"sentinel down-after-milliseconds books 1000\nsentinel failover-timeout books 5000\n", third, port), 0o600))
	sentinel := redisServer(t, third, conf, "--sentinel")
	until(t, "Sentinel knows the replica", func() bool {
		known, err := sentinel.client.Do(context.Background(), "SENTINEL", "REPLICAS", "books").Slice()
		return err == nil && len(known) == 1
	})
	return w
}

// clusterRedis is a cluster of three nodes that share all slots.
func clusterRedis(t *testing.T) string {
	t.Helper()
	ctx := context.Background()
	const slots, size = 16384, 3
	var nodes []*server
	var hosts []string
	for range size {
		port, bus := free(t), free(t)
		nodes = append(nodes, redisServer(t, port, durable("--port", port, "--cluster-enabled", "yes", "--cluster-port", bus,
			"--cluster-config-file", "nodes.conf")...))
		hosts = append(hosts, nodes[len(nodes)-1].addr())
	}
	for i, n := range nodes {
		until(t, "a node answers", func() bool { return n.client.Ping(ctx).Err() == nil })
		must(t, n.client.ClusterAddSlotsRange(ctx, i*slots/size, (i+1)*slots/size-1).Err())
	}
	for _, n := range nodes[1:] {
		bus, err := n.client.ConfigGet(ctx, "cluster-port").Result()
		must(t, err)
		must(t, nodes[0].client.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", n.port, bus["cluster-port"]).Err())
	}
	for _, n := range nodes {
		until(t, "all nodes know of all slots", func() bool {
			info, err := n.client.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(size))
		})
	}
	return "redis://" + strings.Join(hosts, ",")
}
