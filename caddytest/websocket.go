package caddytest

import (
	"crypto/sha1" // RFC 6455 section 1.3 prescribes it.
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
)

// Opcodes of RFC 6455 section 5.2.
const (
	opText  = 0x1
	opClose = 0x8
)

// maxFrameBytes bounds the payload that readFrame allocates.
const maxFrameBytes = 1 << 20

// websocketAccept returns the answer to a handshake's key, RFC 6455 section 4.2.2.
func websocketAccept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// appendFrame appends an unfragmented frame to p. Frames of a client are masked
// (RFC 6455 section 5.3); a constant mask is enough for a test.
func appendFrame(p []byte, opcode byte, payload []byte, masked bool) []byte {
	p = append(p, 0x80|opcode)
	mask := byte(0)
	if masked {
		mask = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		p = append(p, mask|byte(n))
	case n < 1<<16:
		p = binary.BigEndian.AppendUint16(append(p, mask|126), uint16(n))
	default:
		p = binary.BigEndian.AppendUint64(append(p, mask|127), uint64(n))
	}
	if !masked {
		return append(p, payload...)
	}
	key := [4]byte{1, 2, 3, 4}
	p = append(p, key[:]...)
	for i, b := range payload {
		p = append(p, b^key[i%4])
	}
	return p
}

// readFrame reads one frame and unmasks it.
func readFrame(r io.Reader) (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	var extended [8]byte
	switch size {
	case 126:
		if _, err := io.ReadFull(r, extended[6:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(extended[:])
	case 127:
		if _, err := io.ReadFull(r, extended[:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(extended[:])
	}
	if size > maxFrameBytes {
		return 0, nil, fmt.Errorf("websocket frame of %d bytes", size)
	}
	var key [4]byte
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(r, key[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return head[0] & 0x0f, payload, nil
}
