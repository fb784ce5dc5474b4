<?php
/**
 * Does what WordPress's own install screen does, then sets the address of the site and the form of its links.
 */

define( 'WP_INSTALLING', true );
define( 'WP_SITEURL', getenv( 'HOME_URL' ) ); // what links in the first post and page are made from
require __DIR__ . '/load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';

wp_install( 'The Mounted Blog', getenv( 'ADMIN_NAME' ), 'admin@example.org', true, '', getenv( 'ADMIN_PASSWORD' ) );
update_option( 'home', getenv( 'HOME_URL' ) );
update_option( 'siteurl', getenv( 'HOME_URL' ) );
update_option( 'permalink_structure', '/%year%/%monthnum%/%postname%/' );
