package caddytest

import (
	"context"
	"encoding/binary"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// names are the host names that running origins answer to, with the number of
// origins of each.
var names struct {
	sync.Mutex
	origins map[string]int // guarded by Mutex
}

// addName makes the process resolve a host name to the loopback address, or
// with -1 takes one such wish back.
func addName(host string, n int) {
	names.Lock()
	defer names.Unlock()
	if names.origins == nil {
		names.origins = make(map[string]int)
	}
	names.origins[strings.ToLower(host)] += n
}

func knownName(host string) bool {
	names.Lock()
	defer names.Unlock()
	return names.origins[strings.ToLower(strings.TrimSuffix(host, "."))] > 0
}

// knownNames returns the host names of running origins.
func knownNames() []string {
	names.Lock()
	defer names.Unlock()
	return slices.Collect(maps.Keys(names.origins))
}

// resolver answers the process's look-ups in the process itself: origins have
// the names that the script gave them, and nothing else has an address.
func resolver() *net.Resolver {
	return &net.Resolver{
		PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				for answerName(theirs) == nil {
				}
			}()
			return ours, nil
		},
	}
}

// answerName answers one query, framed as over TCP (RFC 1035 section 4.2.2).
func answerName(conn io.ReadWriter) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	query := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return err
	}
	var message dnsmessage.Message
	if err := message.Unpack(query); err != nil {
		return err
	}
	message.Response, message.Authoritative, message.RecursionAvailable = true, true, true
	message.Additionals = nil
	for _, q := range message.Questions {
		switch {
		case !knownName(q.Name.String()):
			message.RCode = dnsmessage.RCodeNameError
		case q.Type == dnsmessage.TypeA:
			message.Answers = append(message.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			})
		}
	}
	answer, err := message.AppendPack(make([]byte, 2, 512))
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(answer, uint16(len(answer)-2))
	_, err = conn.Write(answer)
	return err
}
