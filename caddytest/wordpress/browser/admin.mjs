// Steps of the administrator outside of the block editor.

import { equal, match, pictures, stands } from './check.mjs';

/** Logs in with a chosen target; the cookies stay below the mount. */
export async function logIn({ admin: page, at, base, user, password, fault }) {
	const target = at('/wp-admin/edit.php?post_type=page');
	await page.goto(at(`/wp-login.php?redirect_to=${encodeURIComponent(target)}`));
	await page.locator('#user_login').fill(user);
	await page.locator('#user_pass').fill(password);
	await page.locator('#wp-submit').click();
	await page.waitForURL(target);
	for (const cookie of await page.context().cookies()) {
		if (!cookie.path.startsWith(base.pathname.replace(/\/$/, ''))) {
			fault('cookie', `${cookie.name} has path ${cookie.path}`);
		}
		if (base.protocol === 'https:' && cookie.name.startsWith('wordpress') && !cookie.secure) {
			fault('cookie', `${cookie.name} is not Secure`);
		}
	}
	return page;
}

/** A page of the administration sends a visitor to the login form, and the form back to that page. */
export async function logInWhenAsked({ visitor: page, at, user, password }) {
	await page.goto(at('/wp-admin/tools.php'));
	stands(page, at('/wp-login.php'));
	await page.locator('#user_login').fill(user);
	await page.locator('#user_pass').fill(password);
	await page.locator('#wp-submit').click();
	await page.waitForURL(at('/wp-admin/tools.php'));
	await page.context().clearCookies();
	return page;
}

/** Every page of the menu opens. */
export async function menu({ admin: page, at, fault }) {
	await page.goto(at('/wp-admin/'));
	const all = await page.locator('#adminmenu a[href], #wpadminbar a[href]').evaluateAll((a) => [...new Set(a.map((a) => a.href))]);
	const shown = all.filter((href) => !/logout|#|customize\.php|site-editor\.php|wordpress\.org|profile\.php|about\.php/.test(href));
	for (const href of shown) {
		const response = await page.goto(href, { waitUntil: 'domcontentloaded' });
		if (response?.status() !== 200) {
			fault('menu', `${href}: ${response?.status()}`);
		}
	}
	if (shown.length < 20) {
		fault('menu', `only ${shown.length} pages`);
	}
	await page.goto(at('/wp-admin/'));
	return page;
}

/** The bytes of a picture, drawn by the page. */
async function picture(page) {
	const png = await page.evaluate(() => {
		const canvas = Object.assign(document.createElement('canvas'), { width: 700, height: 500 });
		const pen = canvas.getContext('2d');
		pen.fillStyle = '#306090';
		pen.fillRect(0, 0, 700, 500);
		return canvas.toDataURL('image/png').split(',')[1];
	});
	return Buffer.from(png, 'base64');
}

/** Adds a picture through the uploader of the media screen; it then shows in the grid. */
export async function upload({ admin: page, at }) {
	await page.goto(at('/wp-admin/media-new.php'));
	await page.locator('.moxie-shim input[type=file]').setInputFiles({ name: 'uploaded.png', mimeType: 'image/png', buffer: await picture(page) });
	await page.locator('.media-item a.edit-attachment').waitFor();
	await page.goto(at('/wp-admin/upload.php?mode=grid'));
	await page.locator('.attachment .thumbnail img').first().waitFor();
	await pictures(page);
	await page.locator('.attachment').first().click();
	await page.locator('.attachment-details-copy-link').waitFor();
	match(await page.locator('.attachment-details-copy-link').inputValue(), new RegExp(`^${at('/wp-content/uploads/')}`), 'address of the upload');
	return page;
}

/** Adds a picture in the grid of the library, whose uploader is that of every media dialogue. */
export async function uploadInGrid({ admin: page, at }) {
	await page.goto(at('/wp-admin/upload.php?mode=grid'));
	await page.locator('.attachment .thumbnail img').first().waitFor();
	await page.locator('.moxie-shim input[type=file]').first().setInputFiles({ name: 'gridded.png', mimeType: 'image/png', buffer: await picture(page) });
	await page.locator('.attachment:not(.uploading) img[src*=gridded]').waitFor();
	await pictures(page);
	return page;
}

/** Quick edit changes a title in the list. */
export async function quickEdit({ admin: page, at }) {
	await page.goto(at('/wp-admin/edit.php?s=number+5'));
	const row = page.locator('#the-list tr', { hasText: 'Post number 5' }).first();
	await row.hover();
	await row.locator('button.editinline').click();
	await page.locator('.inline-edit-row input[name=post_title]').first().fill('Post number 5, quickly edited');
	await page.locator('.inline-edit-row .save').first().click();
	await page.locator('#the-list .row-title', { hasText: 'quickly edited' }).waitFor();
	return page;
}

/** A post goes to the bin and comes back; the list's own address stays on the mount. */
export async function trash({ admin: page, at }) {
	await page.goto(at('/wp-admin/edit.php?s=number+6'));
	const row = page.locator('#the-list tr', { hasText: 'Post number 6' }).first();
	await row.hover();
	await row.locator('a.submitdelete').click();
	await page.locator('#message').getByText('moved to the Trash').waitFor();
	stands(page, at('/wp-admin/edit.php'));
	await page.locator('#message a', { hasText: 'Undo' }).click();
	await page.locator('#message').getByText('restored from the Trash').waitFor();
	stands(page, at('/wp-admin/edit.php'));
	return page;
}

/** Approves and answers comments from the list, which goes through admin-ajax. */
export async function moderate({ admin: page, at }) {
	await page.goto(at('/wp-admin/edit-comments.php'));
	const row = page.locator('#the-comment-list tr', { hasText: 'Reader' }).first();
	await row.hover();
	await row.locator('.unapprove a').click();
	await row.and(page.locator('.unapproved')).waitFor();
	await row.hover();
	await row.locator('.approve a').click();
	await row.and(page.locator('.approved')).waitFor();
	await row.hover();
	await row.locator('button.vim-r').click();
	await page.locator('#replycontent').fill(`See ${at('/about/')}.`);
	await page.locator('#replybtn').click();
	await page.locator('#the-comment-list').getByText('See http').first().waitFor();
	return page;
}

/** Settings > General shows the public address; saving it must not break the site. */
export async function generalSettings({ admin: page, at, base }) {
	await page.goto(at('/wp-admin/options-general.php'));
	const want = base.href.replace(/\/$/, '');
	for (const field of ['#siteurl', '#home']) {
		equal(await page.locator(field).inputValue(), want, field);
	}
	await page.locator('#blogdescription').fill('Saved through the mount');
	await page.locator('#submit').click();
	await page.getByText('Settings saved.').waitFor();
	stands(page, at('/wp-admin/options-general.php'));
	return page;
}

/** Settings > Permalinks, a form with _wp_http_referer and a redirect. */
export async function permalinks({ admin: page, at }) {
	await page.goto(at('/wp-admin/options-permalink.php'));
	await page.locator('#submit').click();
	await page.getByText('Permalink structure updated').first().waitFor();
	stands(page, at('/wp-admin/options-permalink.php'));
	return page;
}

/** The profile, saved, with the address of the author's own page. */
export async function profile({ admin: page, at }) {
	await page.goto(at('/wp-admin/profile.php'));
	await page.locator('#url').fill(at('/author/admin/'));
	await page.locator('#submit').click();
	await page.getByText('Profile updated.').waitFor();
	stands(page, at('/wp-admin/profile.php'));
	equal(await page.locator('#url').inputValue(), at('/author/admin/'), 'address in the profile');
	return page;
}

/** A new category through admin-ajax, then its page. */
export async function category({ admin: page, at }) {
	await page.goto(at('/wp-admin/edit-tags.php?taxonomy=category'));
	await page.locator('#tag-name').fill('Gardens');
	await page.locator('#tag-description').fill(`More at ${at('/about/')}.`);
	await page.locator('#submit').click();
	await page.locator('#the-list .row-title', { hasText: 'Gardens' }).waitFor();
	return page;
}

/** A menu of a classic theme gets a link and is saved. */
export async function menus({ admin: page, at }) {
	await page.goto(at('/wp-admin/nav-menus.php'));
	await page.locator('#add-custom-links .accordion-section-title').first().click();
	await page.locator('#custom-menu-item-url').fill(at('/about/team/'));
	await page.locator('#custom-menu-item-name').fill('Team again');
	await page.locator('#submit-customlinkdiv').click();
	await page.locator('#menu-to-edit .menu-item-title', { hasText: 'Team again' }).waitFor();
	// By key: while the new item fades in the button moves away under a mouse.
	await page.locator('#save_menu_header:visible, #save_menu_footer:visible').first().press('Enter');
	await page.getByText('has been updated').first().waitFor();
	stands(page, at('/wp-admin/nav-menus.php'));
	return page;
}

/** The customizer shows the site in its frame and publishes a change. */
export async function customizer({ admin: page, at }) {
	await page.goto(at('/wp-admin/customize.php'));
	const preview = page.frameLocator('#customize-preview iframe').last();
	await preview.locator('.site-title, .wp-block-site-title').first().waitFor();
	await page.locator('#accordion-section-title_tagline > h3').click();
	await page.locator('[data-customize-setting-link=blogdescription]').fill('Customized through the mount');
	await page.locator('#save').click();
	await page.waitForFunction(() => wp.customize.state('saved').get() && !wp.customize.state('saving').get());
	await preview.getByText('Customized through the mount').first().waitFor();
	return page;
}

/** Logs out by the link of the admin bar. */
export async function logOut({ admin: page, at }) {
	await page.goto(at('/wp-admin/'));
	await page.locator('#wp-admin-bar-my-account').hover();
	await page.locator('#wp-admin-bar-logout a').click();
	await page.waitForURL(/loggedout=true/);
	stands(page, at('/wp-login.php'));
	await page.goto(at('/wp-admin/'));
	stands(page, at('/wp-login.php'));
	return page;
}
