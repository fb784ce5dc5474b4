package mount

// transform parses the subdirective. Syntax:
//
//	transform off | {
//	    types            <media-type>...
//	    skip             <path>...
//	    root_relative    on|off
//	    requests         on|off [<path>...]
//	    max_request_body <size>
//	}
func (p *mountParser) transform() error {
	t := new(Transform)
	p.m.Transform = t
	if p.NextArg() {
		if p.Val() != "off" || p.NextArg() {
			return p.Errf("transform %s: expected transform off or a block", p.Val())
		}
		t.Off = true
		return nil
	}
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		if err := p.note("root_relative", "requests", "max_request_body"); err != nil {
			return err
		}
		if err := p.transformWord(t); err != nil {
			return err
		}
		if err := t.check(); err != nil {
			return p.WrapErr(err)
		}
	}
	return nil
}

func (p *mountParser) transformWord(t *Transform) error {
	switch p.Val() {
	case "types":
		return p.words(&t.Types, "types <media-type>...")
	case "skip":
		return p.words(&t.Skip, "skip <path>...")
	case "root_relative":
		var word string
		if err := p.oneOf(&word, "on", "off"); err != nil {
			return err
		}
		t.KeepRootRelative = word == "off"
		return nil
	case "requests":
		args := p.RemainingArgs()
		switch {
		case len(args) == 0 || args[0] != "on" && args[0] != "off":
			return p.Err("expected: requests on, or requests off [<path>...]")
		case args[0] == "on" && len(args) > 1:
			return p.Err("requests on takes no path; requests are mapped everywhere by default")
		}
		t.RequestsOff, t.RequestsOffPaths = args[0] == "off", args[1:]
		return nil
	case "max_request_body":
		return sizeArg(p.Dispenser, &t.MaxRequestBody)
	}
	return p.Errf("unknown word %q in transform; expected one of types, skip, root_relative, requests, max_request_body", p.Val())
}
