<?php
/**
 * Fills a new WordPress with content. The same address gives the same rows, ids and dates every time.
 */

require __DIR__ . '/load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
require __DIR__ . '/images.php';
require __DIR__ . '/traps.php';

wp_set_current_user( 1 );
kses_remove_filters(); // An administrator may write any HTML.

$home = getenv( 'HOME_URL' );
$root = (string) wp_parse_url( $home, PHP_URL_PATH ); // '' or '/blog'

/** The date of the $n-th thing, an hour apart. */
function day( $n ) {
	return gmdate( 'Y-m-d H:i:s', gmmktime( 9, 0, 0, 3, 1 + $n, 2024 ) );
}

/** Inserts a post and returns its id, or stops the script. */
function add( array $post ) {
	$post += array(
		'post_status' => 'publish',
		'post_type'   => 'post',
		'post_author' => 1,
	);
	$id    = wp_insert_post( wp_slash( $post ), true );
	if ( is_wp_error( $id ) ) {
		fwrite( STDERR, $post['post_title'] . ': ' . $id->get_error_message() . "\n" );
		exit( 1 );
	}
	return $id;
}

function paragraph( $html ) {
	return "<!-- wp:paragraph -->\n<p>$html</p>\n<!-- /wp:paragraph -->\n\n";
}

// --- Settings ---------------------------------------------------------------------------------

foreach (
	array(
		'blogdescription'              => 'A site that knows nothing of its mount',
		'show_avatars'                 => 0,
		'posts_per_page'               => 5,
		'posts_per_rss'                => 10,
		'comment_previously_approved'  => 0,
		'comments_notify'              => 0,
		'moderation_notify'            => 0,
		'thread_comments'              => 1,
		'comment_whitelist'            => 0,
		'default_pingback_flag'        => 0,
		'wp_page_for_privacy_policy'   => 0,
		'close_comments_for_old_posts' => 0,
	) as $name => $value
) {
	update_option( $name, $value );
}

// WordPress tries out compression of its scripts with the first administrator that it sees; the tests want no such surprise.
update_site_option( 'can_compress_scripts', 0 );

// No welcome panels and guides in the way of a scripted browser.
$guides = array( 'welcomeGuide' => false, 'welcomeGuideStyles' => false, 'welcomeGuidePage' => false, 'welcomeGuideTemplate' => false, 'enableChoosePatternModal' => false );
update_user_meta(
	1,
	$GLOBALS['wpdb']->get_blog_prefix() . 'persisted_preferences',
	array(
		'core/edit-post'         => $guides,
		'core/edit-site'         => $guides,
		'core/edit-widgets'      => $guides,
		'core/customize-widgets' => $guides,
		'core'                   => $guides,
		'_modified'              => '2024-03-01T00:00:00.000Z',
	)
);
update_user_meta( 1, 'show_welcome_panel', 0 );
update_user_meta( 1, 'community-events-location', array( 'ip' => '127.0.0.0' ) );

// --- People -----------------------------------------------------------------------------------

$editor = wp_insert_user(
	array(
		'user_login'   => 'edith',
		'user_pass'    => 'edith-password',
		'user_email'   => 'edith@example.org',
		'display_name' => 'Edith Editor',
		'user_url'     => "$home/author/edith/",
		'role'         => 'editor',
	)
);

// --- Terms ------------------------------------------------------------------------------------

$categories = array();
foreach ( array( 'News', 'Recipes', 'Travel', 'Opinion' ) as $name ) {
	$categories[] = wp_insert_term( $name, 'category', array( 'description' => "All $name, <a href=\"$home/category/news/\">news</a> first." ) )['term_id'];
}
$categories[] = wp_insert_term( 'Soups', 'category', array( 'parent' => $categories[1] ) )['term_id'];
$tags         = array( 'red', 'green', 'blue', 'slow food', 'città' );

// --- Media ------------------------------------------------------------------------------------

$big   = add_image( 'harbour.jpg', 2600, 1700, 'The harbour at noon' );
$small = add_image( 'icon.png', 128, 128, 'A small icon' );
$wide  = add_image( 'panorama.jpg', 1600, 400, 'A panorama' );
$sound = add_sound( 'bell.wav', 'A bell' );

// --- Posts ------------------------------------------------------------------------------------

$posts = array();
for ( $n = 1; $n <= 20; $n++ ) {
	$text = paragraph( "This is post number $n. It links to <a href=\"$home/about/\">about us</a>, to <a href=\"$root/category/news/\">the news</a> by a path, and to <a href=\"https://www.example.org/\">another site</a>." );
	if ( 0 === $n % 3 ) {
		$text .= '<!-- wp:image {"id":' . $big . ',"sizeSlug":"large","linkDestination":"media"} -->' . "\n"
			. '<figure class="wp-block-image size-large"><a href="' . wp_get_attachment_url( $big ) . '">'
			. '<img src="' . wp_get_attachment_image_url( $big, 'large' ) . '" alt="Harbour" class="wp-image-' . $big . '"/></a></figure>' . "\n"
			. "<!-- /wp:image -->\n\n";
	}
	if ( 0 === $n % 4 ) {
		$text .= "<!-- wp:more -->\n<!--more-->\n<!-- /wp:more -->\n\n" . paragraph( 'The rest of the story.' );
	}
	$posts[ $n ] = add(
		array(
			'post_title'    => "Post number $n",
			'post_name'     => "post-number-$n",
			'post_content'  => $text,
			'post_excerpt'  => 0 === $n % 5 ? "Hand-made excerpt of post $n at $home/." : '',
			'post_date'     => day( $n ),
			'post_author'   => 0 === $n % 2 ? $editor : 1,
			'post_category' => array( $categories[ $n % count( $categories ) ] ),
			'tags_input'    => array( $tags[ $n % count( $tags ) ] ),
		)
	);
	if ( 0 === $n % 2 ) {
		set_post_thumbnail( $posts[ $n ], 0 === $n % 4 ? $big : $wide );
	}
}

// The post that the browser edits: each URL form that an editor leaves behind, eight of them absolute.
$old = paragraph( "An old post. <a href=\"$home/2024/03/post-number-1/\">One</a>, <a href=\"$home/2024/03/post-number-2/\">two</a>, <a href=\"$home/about/\">three</a>, <a href=\"$home/?p={$posts[3]}\">four</a>." );
for ( $n = 5; $n <= 8; $n++ ) {
	$old .= paragraph( "<a href=\"$home/2024/03/post-number-$n/\">Link $n</a>" );
}
$old .= paragraph( "<a href=\"$root/category/news/\">News by path</a>, and <code>$root/about/</code> as text." );
add( array( 'post_title' => 'An old post', 'post_name' => 'an-old-post', 'post_content' => $old, 'post_date' => day( 21 ) ) );

add( array( 'post_title' => 'Behind a password', 'post_name' => 'behind-a-password', 'post_password' => getenv( 'POST_PASSWORD' ), 'post_content' => paragraph( 'The treasure is buried.' ), 'post_date' => day( 22 ) ) );
add( array( 'post_title' => 'Never published', 'post_name' => 'never-published', 'post_status' => 'draft', 'post_content' => paragraph( 'Only a draft.' ), 'post_date' => day( 23 ) ) );
add( array( 'post_title' => 'For the staff only', 'post_name' => 'for-the-staff', 'post_status' => 'private', 'post_content' => paragraph( 'Private words.' ), 'post_date' => day( 24 ) ) );
add( array( 'post_title' => 'In three parts', 'post_name' => 'in-three-parts', 'post_content' => paragraph( 'Part one.' ) . "<!-- wp:nextpage -->\n<!--nextpage-->\n<!-- /wp:nextpage -->\n\n" . paragraph( 'Part two.' ) . "<!-- wp:nextpage -->\n<!--nextpage-->\n<!-- /wp:nextpage -->\n\n" . paragraph( 'Part three.' ), 'post_date' => day( 25 ) ) );
add(
	array(
		'post_title'   => 'Pictures and sound',
		'post_name'    => 'pictures-and-sound',
		'post_content' => "<!-- wp:shortcode -->\n[gallery ids=\"$big,$wide,$small\" link=\"file\"]\n<!-- /wp:shortcode -->\n\n"
			. "<!-- wp:shortcode -->\n[audio src=\"" . wp_get_attachment_url( $sound ) . "\"]\n<!-- /wp:shortcode -->\n\n"
			. "<!-- wp:shortcode -->\n[playlist ids=\"$sound\"]\n<!-- /wp:shortcode -->\n\n"
			. '<!-- wp:cover {"url":"' . wp_get_attachment_url( $wide ) . '","id":' . $wide . '} --><div class="wp-block-cover"><span aria-hidden="true" class="wp-block-cover__background has-background-dim"></span>'
			. '<img class="wp-block-cover__image-background wp-image-' . $wide . '" alt="" src="' . wp_get_attachment_url( $wide ) . '" data-object-fit="cover"/>'
			. "<div class=\"wp-block-cover__inner-container\"><!-- wp:paragraph --><p>Under the cover</p><!-- /wp:paragraph --></div></div><!-- /wp:cover -->\n",
		'post_date'    => day( 26 ),
	)
);
$renamed = add( array( 'post_title' => 'A renamed post', 'post_name' => 'its-old-name', 'post_content' => paragraph( 'It had another address once.' ), 'post_date' => day( 27 ) ) );
wp_update_post( array( 'ID' => $renamed, 'post_name' => 'its-new-name' ) );
add( array( 'post_title' => 'Traps', 'post_name' => 'traps', 'post_content' => traps( $home ), 'post_date' => day( 28 ) ) );
stick_post( $posts[7] );

// --- Pages ------------------------------------------------------------------------------------

$about   = add( array( 'post_type' => 'page', 'post_title' => 'About', 'post_name' => 'about', 'post_content' => paragraph( "We are at <a href=\"$home/\">$home/</a>." ), 'post_date' => day( 1 ) ) );
$team    = add( array( 'post_type' => 'page', 'post_title' => 'Team', 'post_name' => 'team', 'post_parent' => $about, 'post_content' => paragraph( "<a href=\"$root/about/\">Up</a>" ), 'post_date' => day( 2 ) ) );
$blog    = add( array( 'post_type' => 'page', 'post_title' => 'Blog', 'post_name' => 'blog', 'post_content' => paragraph( "This page is called blog, at <a href=\"$home/blog/\">its address</a> and <a href=\"$root/blog/\">its path</a>." ), 'post_date' => day( 3 ) ) );
$archive = add( array( 'post_type' => 'page', 'post_title' => 'Widgets of the block editor', 'post_name' => 'blocks', 'post_content' => "<!-- wp:latest-posts {\"displayFeaturedImage\":true,\"addLinkToFeaturedImage\":true} /-->\n\n<!-- wp:archives /-->\n\n<!-- wp:categories /-->\n\n<!-- wp:tag-cloud /-->\n\n<!-- wp:search {\"label\":\"Search\"} /-->\n\n<!-- wp:loginout {\"displayLoginAsForm\":true} /-->\n\n<!-- wp:latest-comments /-->\n\n<!-- wp:calendar /-->\n\n<!-- wp:page-list /-->\n", 'post_date' => day( 4 ) ) );

// --- Comments ---------------------------------------------------------------------------------

for ( $n = 1; $n <= 12; $n++ ) {
	$first = wp_insert_comment(
		array(
			'comment_post_ID'      => $posts[ $n ],
			'comment_author'       => "Reader $n",
			'comment_author_email' => "reader$n@example.org",
			'comment_author_url'   => "$home/?reader=$n",
			'comment_content'      => "See <a href=\"$home/about/\" rel=\"nofollow\">about</a>, and $home/2024/03/post-number-$n/ too.",
			'comment_date'         => day( 30 + $n ),
			'comment_date_gmt'     => day( 30 + $n ),
			'comment_approved'     => 1,
		)
	);
	wp_insert_comment(
		array(
			'comment_post_ID'      => $posts[ $n ],
			'comment_parent'       => $first,
			'comment_author'       => 'admin',
			'comment_author_email' => 'admin@example.org',
			'comment_content'      => 'Thank you.',
			'comment_date'         => day( 31 + $n ),
			'comment_date_gmt'     => day( 31 + $n ),
			'user_id'              => 1,
			'comment_approved'     => 1,
		)
	);
}

// --- Menus and widgets ------------------------------------------------------------------------

$menu = wp_create_nav_menu( 'Main' );
foreach ( array( $about, $team, $blog ) as $page ) {
	wp_update_nav_menu_item( $menu, 0, array( 'menu-item-object-id' => $page, 'menu-item-object' => 'page', 'menu-item-type' => 'post_type', 'menu-item-status' => 'publish' ) );
}
wp_update_nav_menu_item( $menu, 0, array( 'menu-item-title' => 'News', 'menu-item-url' => "$root/category/news/", 'menu-item-status' => 'publish' ) );
wp_update_nav_menu_item( $menu, 0, array( 'menu-item-title' => 'Feed', 'menu-item-url' => "$home/feed/", 'menu-item-status' => 'publish' ) );
set_theme_mod( 'nav_menu_locations', array( 'primary' => $menu, 'footer' => $menu ) );
update_option( 'theme_mods_twentytwentyone', array( 'nav_menu_locations' => array( 'primary' => $menu, 'footer' => $menu ) ) );

add( array( 'post_type' => 'wp_navigation', 'post_title' => 'Navigation', 'post_name' => 'navigation', 'post_content' => '<!-- wp:navigation-link {"label":"About","type":"page","id":' . $about . ',"url":"' . $home . '/about/","kind":"post-type"} /--><!-- wp:navigation-link {"label":"News","url":"' . $root . '/category/news/","kind":"custom"} /-->', 'post_date' => day( 5 ) ) );

update_option( 'widget_text', array( 2 => array( 'title' => 'Text', 'text' => "Read <a href=\"$home/about/\">about us</a> or <a href='$root/about/team/'>the team</a>.", 'filter' => true, 'visual' => true ), '_multiwidget' => 1 ) );
update_option( 'widget_search', array( 2 => array( 'title' => '' ), '_multiwidget' => 1 ) );
update_option( 'widget_recent-comments', array( 2 => array( 'title' => '', 'number' => 5 ), '_multiwidget' => 1 ) );
update_option( 'widget_media_image', array( 2 => array( 'attachment_id' => $small, 'url' => wp_get_attachment_url( $small ), 'link_type' => 'custom', 'link_url' => "$root/about/", 'size' => 'full', 'width' => 128, 'height' => 128, 'caption' => '', 'alt' => '', 'link_classes' => '', 'link_rel' => '', 'link_target_blank' => false, 'image_classes' => '', 'image_title' => '', 'title' => '' ), '_multiwidget' => 1 ) );
update_option( 'sidebars_widgets', array( 'wp_inactive_widgets' => array(), 'sidebar-1' => array( 'search-2', 'text-2', 'recent-comments-2', 'media_image-2' ), 'array_version' => 3 ) );

flush_rewrite_rules( false );
