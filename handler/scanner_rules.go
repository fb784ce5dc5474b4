package handler

// rule is one reason to map a URL or to leave it alone. Every rule can be
// switched off by itself, which is how the tests prove that each is needed.
type rule uint8

const (
	// Spellings of the slashes in front of a host.
	rulePlain rule = iota
	ruleBackslash
	rulePercent
	ruleNested
	ruleUnicode
	ruleEntity
	ruleSchemeless
	ruleUpperCase

	// What must follow or precede a host.
	guardLongerHost
	guardUserinfo
	guardForeignPort
	guardEscapedHost
	guardScheme
	guardNestedURL
	guardSerialized
	guardLabel
	ruleDefaultPort
	rulePortless
	guardBasePath
	rulePolicy

	// Root-relative URLs.
	ruleAttribute
	ruleEntityAttribute
	ruleUnquoted
	ruleSrcset
	ruleCSSURL
	ruleCSSImport
	ruleSelector
	ruleRefresh
	ruleWordPressPath
	ruleTemplate
	ruleModule
	ruleUserSettings
	ruleScriptRules
	ruleManifest
	ruleIntegrity
	guardNetworkPath
	guardValue
	guardReferer
	guardConcat
	guardPlace

	ruleCount
)

var ruleNames = [ruleCount]string{
	rulePlain:           "plain",
	ruleBackslash:       "backslash",
	rulePercent:         "percent",
	ruleNested:          "nested_percent",
	ruleUnicode:         "unicode",
	ruleEntity:          "entity",
	ruleSchemeless:      "schemeless",
	ruleUpperCase:       "upper_case",
	guardLongerHost:     "longer_host",
	guardUserinfo:       "userinfo",
	guardForeignPort:    "foreign_port",
	guardEscapedHost:    "escaped_host",
	guardScheme:         "scheme",
	guardNestedURL:      "nested_url",
	guardSerialized:     "serialized",
	guardLabel:          "label",
	ruleDefaultPort:     "default_port",
	rulePortless:        "portless",
	guardBasePath:       "base_path",
	rulePolicy:          "policy",
	ruleAttribute:       "attribute",
	ruleEntityAttribute: "entity_attribute",
	ruleUnquoted:        "unquoted",
	ruleSrcset:          "srcset",
	ruleCSSURL:          "css_url",
	ruleCSSImport:       "css_import",
	ruleSelector:        "selector",
	ruleRefresh:         "refresh",
	ruleWordPressPath:   "wordpress_path",
	ruleTemplate:        "template",
	ruleModule:          "module",
	ruleUserSettings:    "user_settings",
	ruleScriptRules:     "script_rules",
	ruleManifest:        "manifest",
	ruleIntegrity:       "integrity",
	guardNetworkPath:    "network_path",
	guardValue:          "value",
	guardReferer:        "referer",
	guardConcat:         "concat",
	guardPlace:          "place",
}

// String is the name of the rule in tests and messages.
func (r rule) String() string {
	if r < ruleCount {
		return ruleNames[r]
	}
	return "unknown"
}

// ruleSet is a set of rules.
type ruleSet uint64

func set(rules ...rule) (s ruleSet) {
	for _, r := range rules {
		s |= 1 << r
	}
	return s
}

func (s ruleSet) has(r rule) bool { return s>>r&1 != 0 }

// mediaKind says which rules a body is read by.
type mediaKind uint8

const (
	// kindText has no structure: only URLs that name a host are mapped.
	kindText mediaKind = iota
	kindHTML
	kindXML
	kindCSS
	// kindScript is a script file. Unlike a script in a page it joins paths to
	// bases that are mapped elsewhere ("base + '/wp-admin'"). The name of a module
	// that it imports is whole.
	kindScript
	kindJSON
	kindManifest
	kindCount
)

// everyHost are the rules for URLs that name a host, which hold in every kind.
const everyHost = ruleSet(1<<ruleAttribute - 1)

var pathGuards = set(guardNetworkPath, guardValue, guardReferer, guardConcat, guardPlace)

// kindRules are the rules that are on in each kind.
var kindRules = [kindCount]ruleSet{
	kindText: everyHost,
	kindHTML: everyHost | pathGuards | set(ruleAttribute, ruleEntityAttribute, ruleUnquoted, ruleSrcset,
		ruleCSSURL, ruleCSSImport, ruleSelector, ruleRefresh, ruleWordPressPath, ruleTemplate, ruleModule, ruleUserSettings, ruleScriptRules, ruleIntegrity),
	kindXML: everyHost | pathGuards | set(ruleAttribute, ruleEntityAttribute, ruleUnquoted, ruleSrcset,
		ruleCSSURL, ruleSelector, ruleWordPressPath),
	kindCSS:    everyHost | pathGuards | set(ruleCSSURL, ruleCSSImport, ruleSelector),
	kindScript: everyHost | pathGuards | set(ruleAttribute, ruleSelector, ruleModule),
	kindJSON: everyHost | pathGuards | set(ruleAttribute, ruleEntityAttribute, ruleUnquoted, ruleSrcset,
		ruleCSSURL, ruleSelector, ruleWordPressPath),
	kindManifest: everyHost | pathGuards | set(ruleManifest),
}

// unmapped says why a host of ours was left as it is.
type unmapped uint8

const (
	unmappedBare       unmapped = iota // no slashes in front: visible text, "domain":"host"
	unmappedMailbox                    // admin@host
	unmappedScheme                     // ftp://host, wss://host
	unmappedNested                     // a URL inside the path of another
	unmappedSerialized                 // inside a PHP string of stated length
	unmappedPort                       // another service of the same host
	unmappedUserinfo                   // host@elsewhere
	unmappedOutside                    // outside the base path
	unmappedCount
)

var unmappedNames = [unmappedCount]string{
	unmappedBare:       "bare",
	unmappedMailbox:    "mailbox",
	unmappedScheme:     "scheme",
	unmappedNested:     "nested",
	unmappedSerialized: "serialized",
	unmappedPort:       "port",
	unmappedUserinfo:   "userinfo",
	unmappedOutside:    "outside",
}

// String is the word for u in metrics and logs.
func (u unmapped) String() string {
	if u < unmappedCount {
		return unmappedNames[u]
	}
	return "unknown"
}

// scanCount says what a scanner did with one body.
type scanCount struct {
	Mapped   int64                // URLs that were mapped
	Unmapped [unmappedCount]int64 // hosts of ours that were left, by reason
}
