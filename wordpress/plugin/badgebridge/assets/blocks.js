// The blocks are made by the server; the editor shows what it makes, and asks for
// what it cannot know.
( function ( blocks, element, blockEditor, components, render, i18n ) {
	var el = element.createElement;
	var titles = {
		'my-badges': i18n.__( 'My badges', 'badgebridge' ),
		'badge-wall': i18n.__( 'Badge wall', 'badgebridge' ),
		badge: i18n.__( 'Badge', 'badgebridge' ),
	};
	var descriptions = {
		'my-badges': i18n.__( 'The badges of whoever looks at the page, with all that can be done with them.', 'badgebridge' ),
		'badge-wall': i18n.__( 'The public badges of one member, or the newest of all.', 'badgebridge' ),
		badge: i18n.__( 'One public badge that was awarded, with the way to verify it.', 'badgebridge' ),
	};
	var fields = {
		'badge-wall': [ 'user', i18n.__( 'Member', 'badgebridge' ), i18n.__( 'The number of the user whose badges are shown. 0: the newest of all.', 'badgebridge' ) ],
		badge: [ 'entry', i18n.__( 'Award', 'badgebridge' ), i18n.__( 'The number of the award, as the badge plugin counts them.', 'badgebridge' ) ],
	};
	function field( name, props ) {
		var its = fields[ name ];
		return el(
			blockEditor.InspectorControls,
			{ key: 'settings' },
			el(
				components.PanelBody,
				{ title: i18n.__( 'Settings', 'badgebridge' ) },
				el( components.TextControl, {
					type: 'number',
					min: 0,
					label: its[ 1 ],
					help: its[ 2 ],
					value: String( props.attributes[ its[ 0 ] ] ),
					onChange: function ( value ) {
						var change = {};
						change[ its[ 0 ] ] = Math.max( 0, parseInt( value, 10 ) || 0 );
						props.setAttributes( change );
					},
				} )
			)
		);
	}
	Object.keys( titles ).forEach( function ( name ) {
		blocks.registerBlockType( 'badgebridge/' + name, {
			apiVersion: 2,
			title: titles[ name ],
			description: descriptions[ name ],
			icon: 'awards',
			category: 'widgets',
			edit: function ( props ) {
				return el(
					'div',
					blockEditor.useBlockProps(),
					fields[ name ] ? field( name, props ) : null,
					// What can be pressed here would leave the editor.
					el( components.Disabled, null, el( render, { block: 'badgebridge/' + name, attributes: props.attributes } ) )
				);
			},
			save: function () {
				return null;
			},
		} );
	} );
} )( window.wp.blocks, window.wp.element, window.wp.blockEditor, window.wp.components, window.wp.serverSideRender, window.wp.i18n );
