// Steps in the block editor, the widgets screen and the site editor.

import { match, stands } from './check.mjs';

/** The editor's canvas: a frame in newer releases, the page itself in older ones. */
async function canvas(page) {
	await page.locator('.editor-post-title__input, iframe[name=editor-canvas]').first().waitFor();
	return (await page.locator('iframe[name=editor-canvas]').count()) > 0 ? page.frameLocator('iframe[name=editor-canvas]') : page;
}

/** Waits until the editor has saved. */
async function saved(page) {
	await page.waitForFunction(() => {
		const editor = wp.data.select('core/editor');
		return !editor.isSavingPost() && !editor.isEditedPostDirty() && editor.didPostSaveRequestSucceed();
	});
}

/** Writes a post with links of several kinds, publishes it, and reads it. */
export async function publish({ admin: page, at }) {
	await page.goto(at('/wp-admin/post-new.php'));
	const paper = await canvas(page);
	await paper.locator('.editor-post-title__input').click();
	await page.keyboard.type('Written through the mount');
	await page.keyboard.press('Enter');
	await page.keyboard.type('A first paragraph.');
	// The rest by the editor's own functions: what it sends is what counts.
	await page.evaluate(([about, image, path]) => {
		const { createBlock } = wp.blocks;
		wp.data.dispatch('core/block-editor').insertBlocks([
			createBlock('core/paragraph', { content: `See <a href="${about}">about</a> and <a href="${path}">by path</a>.` }),
			createBlock('core/image', { url: image, alt: 'Icon' }),
			createBlock('core/html', { content: `<div data-json='{"u":"${about.replaceAll('/', '\\/')}"}'>JSON</div>` }),
		]);
	}, [at('/about/'), at('/wp-content/uploads/2024/03/icon.png'), new URL(at('/about/')).pathname]);
	await page.locator('.editor-post-publish-panel__toggle').click();
	await page.locator('.editor-post-publish-panel .editor-post-publish-button').click();
	await page.locator('.post-publish-panel__postpublish').waitFor();
	await saved(page);
	const link = await page.evaluate(() => wp.data.select('core/editor').getPermalink());
	match(link, new RegExp(`^${at('/')}\\d+/\\d+/written-through-the-mount/$`), 'address of the new post');
	await page.goto(link);
	match(await page.locator('body').innerHTML(), new RegExp(`href="${at('/about/')}"`), 'link in the new post');
	return page;
}

/** Edits a post that is full of links, as old posts are. */
export async function editOld({ admin: page, at }) {
	await page.goto(at('/wp-admin/edit.php?s=An+old+post'));
	await page.locator('#the-list .row-title', { hasText: 'An old post' }).click();
	await canvas(page);
	await page.waitForFunction(() => wp.data.select('core/editor').getEditedPostContent().includes('old post'));
	await page.evaluate(() => {
		wp.data.dispatch('core/block-editor').insertBlocks(wp.blocks.createBlock('core/paragraph', { content: 'One more line.' }));
	});
	await page.locator('.editor-post-publish-button').click();
	await saved(page);
	const content = await page.evaluate(() => wp.data.select('core/editor').getEditedPostContent());
	const links = content.split(`href="${at('/')}`).length - 1;
	match(String(links), /^8$/, 'links of the old post as the editor shows them');
	return page;
}

/** Previews a draft in a new tab. */
export async function previewDraft({ admin: page, at }) {
	await page.goto(at('/wp-admin/edit.php?post_status=draft&post_type=post'));
	await page.locator('#the-list .row-title', { hasText: 'Never published' }).click();
	const paper = await canvas(page);
	await paper.locator('.editor-post-title__input').click();
	await page.keyboard.press('Control+End');
	await page.keyboard.type(', not even now');
	const address = await page.evaluate(async () => {
		await wp.data.dispatch('core/editor').savePost({ isPreview: true });
		return wp.data.select('core/editor').getEditedPostPreviewLink();
	});
	const [tab] = await Promise.all([page.context().waitForEvent('page'), page.evaluate((a) => void open(a), address)]);
	await tab.getByText('Never published, not even now').first().waitFor();
	stands(tab, at('/'));
	await tab.close();
	await saved(page);
	return page;
}

/** An embed of the site's own post in the editor, resolved by the site itself. */
export async function embed({ admin: page, at }) {
	await page.goto(at('/wp-admin/post-new.php'));
	await canvas(page);
	await page.waitForFunction(() => wp.data.select('core/editor').getCurrentPostId() > 0);
	const answer = await page.evaluate(
		(url) => wp.apiFetch({ path: `/oembed/1.0/proxy?url=${encodeURIComponent(url)}` }),
		at('/2024/03/post-number-12/'),
	);
	match(answer.html ?? '', new RegExp(at('/2024/03/post-number-12/embed/')), 'embed of a post');
	return page;
}

/** The widgets screen of a classic theme shows and saves. */
export async function widgets({ admin: page, at }) {
	await page.goto(at('/wp-admin/widgets.php'));
	await page.locator('.wp-block-widget-area').first().waitFor();
	await page.locator('.wp-block-legacy-widget, .wp-block[data-type="core/legacy-widget"]').first().waitFor();
	await page.evaluate((about) => {
		const { select, dispatch } = wp.data;
		const area = select('core/block-editor').getBlocks()[0];
		dispatch('core/block-editor').insertBlocks(wp.blocks.createBlock('core/paragraph', { content: `<a href="${about}">A widget</a>` }), 0, area.clientId);
	}, at('/about/'));
	await page.locator('.edit-widgets-header__actions button.is-primary').click();
	await page.locator('.components-snackbar', { hasText: 'saved' }).waitFor();
	await page.goto(at('/'));
	match(await page.locator('body').innerHTML(), new RegExp(`<a href="${at('/about/')}">A widget`), 'the new widget');
	return page;
}

/** The site editor of a block theme shows the site in its frame. */
export async function siteEditor({ admin: page, at }) {
	await page.goto(at('/wp-admin/site-editor.php'));
	const frame = page.frameLocator('iframe[name=editor-canvas]');
	await frame.locator('.wp-block-site-title').first().waitFor();
	await frame.locator('.wp-block-post-title').first().waitFor();
	return page;
}
