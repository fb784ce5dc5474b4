package caddytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// expectStore checks a number of a store: "expect store NAME.TIER.FIELD [OPERATOR]
// VALUE", in the words of GET /mount/status. What a store does in the background is
// waited for.
func (s *script) expectStore(neg bool, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: expect store NAME.TIER.FIELD [OPERATOR] VALUE")
	}
	subject := args[0]
	c, err := parseCondition(args[1:])
	if err != nil {
		return err
	}
	for start := time.Now(); ; {
		have, err := s.storeNumber(subject)
		if err != nil {
			return err
		}
		if err = c.check(subject, neg, have...); err == nil || time.Since(start) > limit {
			return err
		}
	}
}

// storeNumber returns one number of a store, nothing if there is no such tier.
func (s *script) storeNumber(subject string) ([]string, error) {
	parts := strings.Split(subject, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("cannot expect store %s", subject)
	}
	request, err := http.NewRequest(http.MethodGet, "http://localhost/mount/status", nil)
	if err != nil {
		return nil, err
	}
	response, err := s.server.Admin(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var status struct {
		Stores map[string]map[string]map[string]json.Number
	}
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		return nil, err
	}
	if n, ok := status.Stores[parts[0]][parts[1]][parts[2]]; ok {
		return []string{n.String()}, nil
	}
	return nil, nil
}
