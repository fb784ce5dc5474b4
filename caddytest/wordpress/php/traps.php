<?php
/**
 * The trap post: every form in which a page can name its own address, and the
 * look-alikes that are no such name. Each stands in an element whose id says
 * which: map-* must be mapped, keep-* must arrive byte for byte.
 */

function traps( $home ) {
	$scheme = wp_parse_url( $home, PHP_URL_SCHEME );
	$other  = 'https' === $scheme ? 'http' : 'https';
	$bare   = substr( $home, strlen( $scheme ) + 3 );        // blog.example.net, example.com/blog
	$host   = wp_parse_url( $home, PHP_URL_HOST );
	$json   = str_replace( '/', '\/', $home );
	$twice  = str_replace( '/', '\\\\\\/', $home );
	$enc    = rawurlencode( $home );
	$lower  = strtolower( $enc );
	$double = rawurlencode( $enc );
	$uni    = str_replace( '/', '\u002F', $home );
	$entity = str_replace( '/', '&#x2F;', $home );
	$dec    = str_replace( '/', '&#47;', $home );
	$upper  = str_replace( $host, strtoupper( $host ), $home );
	$root   = (string) wp_parse_url( $home, PHP_URL_PATH );  // '' or /blog
	$jroot  = str_replace( '/', '\/', $root );

	return <<<HTML
<!-- wp:html -->
<p id="map-plain"><a href="$home/about/?a=1&amp;b=2#c">plain</a></p>
<p id="map-other-scheme"><a href="$other://$bare/about/">other scheme</a></p>
<p id="map-scheme-relative"><a href="//$bare/about/">scheme-relative</a></p>
<p id="map-upper"><a href="$upper/about/">upper-case host</a></p>
<p id="map-home"><a href="$home">no path</a></p>
<p id="map-query"><a href="$home?p=1">query without path</a></p>
<p id="map-json" data-settings='{"url":"$json\/about\/","items":["$json"]}'>JSON</p>
<p id="map-json-entities" data-settings="{&quot;url&quot;:&quot;$json\/about\/&quot;,&quot;path&quot;:&quot;$jroot\/wp-admin\/admin-ajax.php&quot;}">JSON in entities</p>
<p id="map-json-twice" data-settings='{"inner":"{\"url\":\"$twice\\\\\/about\\\\\/\"}"}'>JSON in JSON</p>
<p id="map-percent"><a href="https://share.example.org/?u=$enc%2Fabout%2F">percent-encoded</a></p>
<p id="map-percent-lower"><a href="https://share.example.org/?u=$lower%2fabout%2f">percent-encoded in lower case</a></p>
<p id="map-percent-double"><a href="https://share.example.org/?u=$double%252Fabout%252F">percent-encoded twice</a></p>
<p id="map-unicode" data-settings='{"url":"$uni\u002Fabout"}'>slashes as \u002F</p>
<p id="map-entity"><a href="$entity&#x2F;about&#x2F;">slashes as entities</a></p>
<p id="map-decimal"><a href="$dec&#47;about&#47;">slashes as decimal entities</a></p>
<p id="map-style" style="background-image:url($home/wp-content/uploads/2024/03/icon.png)">style with a URL</p>
<p id="map-style-root" style="background-image:url('$root/wp-content/uploads/2024/03/icon.png')">style with a path</p>
<p id="map-root"><a href="$root/about/">path</a> <a href='$root/about/'>in single quotes</a> <a href=$root/about/>without quotes</a></p>
<p id="map-root-srcset"><img alt="" width="64" src="$root/wp-content/uploads/2024/03/icon.png" srcset="$root/wp-content/uploads/2024/03/icon.png 1x, $root/wp-content/uploads/2024/03/harbour-300x196.jpg 2x"></p>
<p id="map-srcset"><img alt="" width="64" src="$home/wp-content/uploads/2024/03/icon.png" srcset="$home/wp-content/uploads/2024/03/icon.png 1x, $home/wp-content/uploads/2024/03/harbour-300x196.jpg 2x"></p>
<form id="map-root-form" action="$root/" method="get"><input name="s"><button formaction="$root/">Find</button></form>
<style>#map-css { background: url( "$root/wp-content/uploads/2024/03/icon.png" ) }</style>
<p id="map-css">CSS with a path</p>
<script id="map-script">var trap = {"ajax":"$root/wp-admin/admin-ajax.php","json":"$jroot\/wp-json\/","home":"$home","slashes":"$json\/"}; fetch('$root/wp-json/');</script>

<p id="keep-mail"><a href="mailto:editor@$host">editor@$host</a></p>
<p id="keep-prefix"><a href="http://not$host/">not$host</a></p>
<p id="keep-sub"><a href="http://sub.$host/">sub.$host</a></p>
<p id="keep-suffix"><a href="http://$host.example.org/">$host.example.org</a></p>
<p id="keep-dash"><a href="http://$host-old.example.org/">$host-old.example.org</a></p>
<p id="keep-cdn"><a href="https://i0.wp.example.org/$host/picture.jpg">picture at a CDN</a></p>
<p id="keep-port"><a href="http://$host:9/">another service</a></p>
<p id="keep-prose">Write to $host, or visit $host/about in your browser.</p>
<p id="keep-glued" data-x="a+/about/">a+/about/</p>
<p id="keep-scheme-relative"><a href="//www.example.org/about/">another host</a></p>
<!-- /wp:html -->
HTML;
}
