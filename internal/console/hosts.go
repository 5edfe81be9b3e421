package console

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hosts are the names that a request may be addressed to. A page of another
// site whose name was pointed at this machine has the right to read answers by
// every other rule of a browser; only its Host header gives it away.
type hosts map[string]bool

// newHosts leaves out what allow knows better, with its port.
func newHosts(names []string) hosts {
	h := hosts{}
	for _, name := range names {
		if _, err := netip.ParseAddr(name); err == nil || name == "" || name == "localhost" {
			continue
		}
		h[strings.ToLower(name)] = true
	}
	return h
}

// only lets callbacks pass under any name: they come by the name of a proxy, and
// their answer tells nothing to a page that could read it.
func (h hosts) only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.allow(r) && !isCallback(r) {
			http.Error(w, "this console is not served under that name", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allow takes the configured names, and with the port that the connection came
// in by: localhost, loopback addresses, and the address it came in by.
func (h hosts) allow(r *http.Request) bool {
	name, port := splitHost(r)
	if h[name] || h[net.JoinHostPort(name, port)] {
		return true
	}
	here, ok := localAddr(r)
	if !ok || port != here.port {
		return false
	}
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Zone() == "" && (ip.Unmap().IsLoopback() || ip.Unmap() == here.ip)
}

// splitHost is the request's host in lower case, without brackets, and its
// port, by default the scheme's.
func splitHost(r *http.Request) (name, port string) {
	text := strings.ToLower(r.Host)
	if name, port, err := net.SplitHostPort(text); err == nil {
		return name, port
	}
	port = "80"
	if r.TLS != nil {
		port = "443"
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	return text, port
}

// endpoint is one end of a connection.
type endpoint struct {
	ip   netip.Addr
	port string
}

func parseEndpoint(text string) (endpoint, bool) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return endpoint{}, false
	}
	ip, err := netip.ParseAddr(host)
	return endpoint{ip.Unmap().WithZone(""), port}, err == nil
}

// localAddr is the end of the connection that is here.
func localAddr(r *http.Request) (endpoint, bool) {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return endpoint{}, false
	}
	return parseEndpoint(addr.String())
}

// fromHere tells a request that a program on this machine made for itself from
// one that a proxy on this machine passes on.
func fromHere(r *http.Request) bool {
	peer, ok := parseEndpoint(r.RemoteAddr)
	if !ok || !peer.ip.IsLoopback() {
		return false
	}
	name, _ := splitHost(r)
	ip, err := netip.ParseAddr(name)
	direct := name == "localhost" || err == nil && ip.Unmap().IsLoopback()
	return direct && r.Header.Get("Forwarded") == "" && r.Header.Get("X-Forwarded-For") == ""
}
