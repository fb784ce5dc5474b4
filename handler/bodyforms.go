package handler

import "net/url"

// bodyForms builds the tables for the bodies of answers and of requests. They
// follow the rules for header fields (View.rules): in the aware modes only URLs
// that name the site's own host are mapped, and no requests.
func (v *View) bodyForms() (answers, sent *forms) {
	m := v.m
	home := formOf(v.home)
	var sites []formBase
	for _, a := range m.sites {
		if m.mode != Transparent && m.prefix != "" {
			// The site's own host with the path already right.
			kept := a
			kept.path = m.prefix
			sites = append(sites, formOf(kept))
		}
		sites = append(sites, formOf(a))
	}
	answers = newForms(sites, home, formOptions{KeepRootRelative: m.transform.KeepRootRelative || m.mode != Transparent})
	if m.mode == Transparent {
		sent = newForms([]formBase{home}, formOf(m.site), formOptions{KeepRootRelative: m.transform.KeepRootRelative})
	}
	return answers, sent
}

func formOf(a address) formBase {
	path, err := url.PathUnescape(a.path)
	if err != nil {
		path = a.path
	}
	return formBase{Scheme: a.scheme, Host: a.host(), Path: path}
}
