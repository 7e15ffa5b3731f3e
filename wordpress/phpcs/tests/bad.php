<?php
/**
 * What the rules find. A line is found exactly by the rule that its comment names.
 */
function printed( $title, $html ) {
	echo $title; // EscapedOutput
	echo '<b>' . esc_html( $title ) . '</b>', (int) $title, $title ? 'yes' : 'no';
	echo '<b>' . ( $title ? esc_html( $title ) : $html ) . '</b>'; // EscapedOutput
	echo "<b>$title</b>"; // EscapedOutput
	printf( '<b>%s</b>', __( 'Badge', 'badgebridge' ) ); // EscapedOutput
	printf( '<b>%s</b>', esc_html__( 'Badge', 'badgebridge' ) );
	wp_die( $html, '', array( 'response' => 403 ) ); // EscapedOutput
}

function queried( $id, $order ) {
	global $wpdb;
	$table = $wpdb->prefix . 'demo';
	$wpdb->query( "DELETE FROM $table WHERE id = $id" ); // PreparedQuery
	$wpdb->query( 'DELETE FROM ' . $table . ' WHERE id = ' . $id ); // PreparedQuery
	$wpdb->get_var( $wpdb->prepare( "SELECT a FROM $table WHERE id = %d", $id ) );
	$wpdb->get_var( $wpdb->prepare( "SELECT a FROM $table WHERE id = %d ORDER BY $order", $id ) ); // PreparedQuery
	$wpdb->get_col( $order ); // PreparedQuery
	$wpdb->get_col( "SELECT ID FROM {$wpdb->posts} LIMIT 1" );
}

function asked() {
	return isset( $_GET['entry'] ) ? (int) $_GET['entry'] : 0; // RequestData
}

function asked_well() {
	return isset( $_GET['entry'] ) && is_string( $_GET['entry'] ) ? (int) $_GET['entry'] : 0;
}

function told( $name, $count ) {
	__( $name, 'badgebridge' ); // TranslatedText
	__( 'Badge' ); // TranslatedText
	__( 'Badge', 'another' ); // TranslatedText
	_n( '%d badge', '%d badges', $count, 'badgebridge' ); // TranslatedText
	/* translators: %d: number of badges */
	_n( '%d badge', '%d badges', $count, 'badgebridge' );
	/* translators: name and place */
	return __( '%s at %s', 'badgebridge' ); // TranslatedText
}

function forbidden( $data ) {
	eval( $data ); // Eval
	unserialize( $data ); // ForbiddenFunctions
	`ls`; // BacktickOperator
	return @$data['x']; // NoSilencedErrors
}
