<?php
/**
 * Plugin Name: Offline
 * Description: Answers every request that WordPress would make to the network with an error, at once, and says why a pingback failed.
 */

add_filter(
	'pre_http_request',
	static function () {
		return new WP_Error( 'http_request_failed', 'This WordPress is offline.' );
	}
);

remove_filter( 'xmlrpc_pingback_error', 'xmlrpc_pingback_error' );
