// The blocks are made by the server; the editor only shows what it makes.
( function ( blocks, element, render, i18n ) {
	var titles = {
		'my-badges': i18n.__( 'My badges', 'badgebridge' ),
		'badge-wall': i18n.__( 'Badge wall', 'badgebridge' ),
		badge: i18n.__( 'Badge', 'badgebridge' ),
	};
	Object.keys( titles ).forEach( function ( name ) {
		blocks.registerBlockType( 'badgebridge/' + name, {
			apiVersion: 2,
			title: titles[ name ],
			icon: 'awards',
			category: 'widgets',
			edit: function ( props ) {
				return element.createElement( render, { block: 'badgebridge/' + name, attributes: props.attributes } );
			},
			save: function () {
				return null;
			},
		} );
	} );
} )( window.wp.blocks, window.wp.element, window.wp.serverSideRender, window.wp.i18n );
