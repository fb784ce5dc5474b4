<?php
/**
 * Switches to the theme that the first argument names, and keeps the menus and widgets that fill.php made.
 */

require __DIR__ . '/load.php';

$widgets = get_option( 'sidebars_widgets' );
switch_theme( $argv[1] );
update_option( 'sidebars_widgets', $widgets );
if ( get_stylesheet() !== $argv[1] || wp_get_theme()->errors() ) {
	fwrite( STDERR, "cannot switch to theme {$argv[1]}\n" );
	exit( 1 );
}
