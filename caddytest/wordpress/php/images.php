<?php
/**
 * Makes media files and adds them to the library, all sizes included.
 */

/** Draws a picture of coloured bands and returns the id of its attachment. */
function add_image( $name, $width, $height, $title ) {
	$image = imagecreatetruecolor( $width, $height );
	for ( $y = 0; $y < $height; $y += 8 ) {
		$colour = imagecolorallocate( $image, (int) ( 255 * $y / $height ), 90, 255 - (int) ( 200 * $y / $height ) );
		imagefilledrectangle( $image, 0, $y, $width, $y + 7, $colour );
	}
	imagefilledellipse( $image, (int) ( $width / 2 ), (int) ( $height / 2 ), (int) ( $height / 2 ), (int) ( $height / 2 ), imagecolorallocate( $image, 250, 250, 90 ) );
	$png = '.png' === substr( $name, -4 );
	ob_start();
	$png ? imagepng( $image ) : imagejpeg( $image, null, 70 );
	return add_media( $name, ob_get_clean(), $png ? 'image/png' : 'image/jpeg', $title );
}

/** Makes a second of sound and returns the id of its attachment. */
function add_sound( $name, $title ) {
	$rate = 8000;
	$data = '';
	for ( $i = 0; $i < $rate; $i++ ) {
		$data .= chr( 128 + (int) ( 100 * exp( -3 * $i / $rate ) * sin( 2 * M_PI * 660 * $i / $rate ) ) );
	}
	$head = 'RIFF' . pack( 'V', 36 + strlen( $data ) ) . 'WAVEfmt ' . pack( 'VvvVVvv', 16, 1, 1, $rate, $rate, 1, 8 ) . 'data' . pack( 'V', strlen( $data ) );
	return add_media( $name, $head . $data, 'audio/wav', $title );
}

/** Adds a file to the library in the folder of March 2024. */
function add_media( $name, $bytes, $type, $title ) {
	$upload = wp_upload_bits( $name, null, $bytes, '2024/03' );
	if ( $upload['error'] ) {
		fwrite( STDERR, "$name: {$upload['error']}\n" );
		exit( 1 );
	}
	$id = wp_insert_attachment(
		array(
			'post_title'     => $title,
			'post_name'      => 'media-' . sanitize_title( $title ),
			'post_mime_type' => $type,
			'post_status'    => 'inherit',
			'post_date'      => '2024-03-01 08:00:00',
			'guid'           => $upload['url'],
		),
		$upload['file']
	);
	wp_update_attachment_metadata( $id, wp_generate_attachment_metadata( $id, $upload['file'] ) );
	return $id;
}
