package balancer

import (
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// UnmarshalCaddyfile sets up the policy from Caddyfile tokens. Syntax:
//
//	lb_policy least_time [first_byte|last_byte] {
//		decay   <duration>
//		explore <share>
//	}
//
// A share is a number from 0 to 0.5 or a percentage from 0% to 50%.
func (p *LeastTime) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the name of the policy
	if d.NextArg() {
		switch m := Measure(d.Val()); m {
		case FirstByte, LastByte:
			p.Measure = m
		default:
			return d.Errf("least_time measures %s or %s, not '%s'", FirstByte, LastByte, m)
		}
		if d.NextArg() {
			return d.ArgErr()
		}
	}
	for d.NextBlock(0) {
		switch option := d.Val(); option {
		case "decay":
			if p.Decay != 0 {
				return d.Errf("%s is given twice", option)
			}
			if !d.NextArg() {
				return d.ArgErr()
			}
			decay, err := caddy.ParseDuration(d.Val())
			if err != nil || decay <= 0 {
				return d.Errf("decay must be a duration above zero such as 10s, not '%s'", d.Val())
			}
			p.Decay = caddy.Duration(decay)
		case "explore":
			if p.Explore != nil {
				return d.Errf("%s is given twice", option)
			}
			if !d.NextArg() {
				return d.ArgErr()
			}
			share, ok := parseShare(d.Val())
			if !ok || share > 0.5 {
				return d.Errf("explore must be a share from 0 to 0.5 or a percentage such as 0.5%%, not '%s'", d.Val())
			}
			p.Explore = &share
		default:
			return d.Errf("unrecognized option '%s' of least_time: expected decay or explore", option)
		}
		if d.NextArg() {
			return d.ArgErr()
		}
	}
	return nil
}

// parseShare reads a share: a number from 0 to 1, or from 0 to 100 with a
// percent sign.
func parseShare(s string) (float64, bool) {
	number, percent := strings.CutSuffix(s, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	return share, err == nil && share >= 0 && share <= 1
}

// Interface guard.
var _ caddyfile.Unmarshaler = (*LeastTime)(nil)
