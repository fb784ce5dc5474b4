package wordpress

import (
	"net"

	"golang.org/x/net/dns/dnsmessage"
)

// resolver is a DNS server on loopback that leads one name to 127.0.0.1 and
// knows no other, so that an origin has a name of its own without a line in /etc/hosts.
type resolver struct {
	conn net.PacketConn
	done chan struct{}
}

// newResolver starts a server for the name.
func newResolver(name string) (*resolver, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	known, err := dnsmessage.NewName(name + ".")
	if err != nil {
		conn.Close()
		return nil, err
	}
	r := &resolver{conn, make(chan struct{})}
	go r.serve(known)
	return r, nil
}

// serve answers until the socket is closed. What is no question is ignored.
func (r *resolver) serve(known dnsmessage.Name) {
	defer close(r.done)
	buf := make([]byte, 1500)
	for {
		n, peer, err := r.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply, err := answer(buf[:n], known); err == nil {
			_, _ = r.conn.WriteTo(reply, peer) // a lost datagram is asked for again
		}
	}
}

// answer makes the reply to one question.
func answer(question []byte, known dnsmessage.Name) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative = true, true
	m.Answers, m.Authorities, m.Additionals = nil, nil, nil
	if len(m.Questions) != 1 || m.Questions[0].Name != known {
		m.RCode = dnsmessage.RCodeNameError
		return m.Pack()
	}
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: known, Type: q.Type, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	return m.Pack()
}

func (r *resolver) address() string { return r.conn.LocalAddr().String() }

func (r *resolver) close() error {
	err := r.conn.Close()
	<-r.done
	return err
}
