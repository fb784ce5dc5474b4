package balancer

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

const (
	tokenBytes  = 16 // of an id, and of a signature: a truncated HMAC-SHA256
	minSecret   = 16 // bytes of a secret
	tokenLength = 22 // tokenBytes in unpadded base64
)

// encoding is strict: of several spellings of the same bytes only one is valid,
// so a visitor cannot have several ids.
var encoding = base64.RawURLEncoding.Strict()

// newID returns the id of a new visitor: 128 random bits.
func newID() string {
	var id [tokenBytes]byte
	_, _ = rand.Read(id[:]) // never fails
	return encoding.EncodeToString(id[:])
}

// signer makes and reads the cookie values of one split: the visitor's id alone,
// or with a secret "id.signature". The signature covers the name of the split,
// so a cookie of one is none of another. It is immutable.
type signer struct {
	name    string
	secrets []string // the first signs, all verify
}

// sealed is what a cookie value turned out to be.
type sealed uint8

const (
	// forged: not a value that the signer has made.
	forged sealed = iota
	// genuine: made by the signer as it is.
	genuine
	// outdated: made with a secret that no longer signs.
	outdated
)

// encode returns the cookie value of id.
func (s signer) encode(id string) string {
	if len(s.secrets) == 0 {
		return id
	}
	return id + "." + s.sign(s.secrets[0], id)
}

// decode returns the id in a cookie value. The id is empty if the value is
// forged.
func (s signer) decode(value string) (id string, is sealed) {
	id, signature, signed := strings.Cut(value, ".")
	if !isToken(id) || signed != (len(s.secrets) > 0) {
		return "", forged
	}
	if !signed {
		return id, genuine
	}
	for i, secret := range s.secrets {
		if hmac.Equal([]byte(signature), []byte(s.sign(secret, id))) {
			if i == 0 {
				return id, genuine
			}
			return id, outdated
		}
	}
	return "", forged
}

func (s signer) sign(secret, id string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("mount split\x00" + s.name + "\x00" + id))
	return encoding.EncodeToString(mac.Sum(nil)[:tokenBytes])
}

// isToken reports whether s spells tokenBytes bytes.
func isToken(s string) bool {
	if len(s) != tokenLength {
		return false
	}
	var b [tokenBytes + 1]byte
	n, err := encoding.Decode(b[:], []byte(s))
	return err == nil && n == tokenBytes
}
