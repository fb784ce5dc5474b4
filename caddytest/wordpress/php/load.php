<?php
/**
 * Loads the WordPress of the current folder for a script on the command line,
 * as if the request had come to its home page, signed in as the administrator.
 */

$_SERVER['HTTP_HOST']       = getenv( 'HOME_HOST' );
$_SERVER['SERVER_NAME']     = preg_replace( '/:\d+$/', '', getenv( 'HOME_HOST' ) );
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
if ( 'https' === getenv( 'HOME_SCHEME' ) ) {
	$_SERVER['HTTPS'] = 'on';
}

error_reporting( E_ERROR | E_PARSE );
require getcwd() . '/wp-load.php';
