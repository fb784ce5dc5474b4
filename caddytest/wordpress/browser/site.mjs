// Steps of somebody who reads the site.

import { equal, match, pictures, stands } from './check.mjs';

/** Home, a post, an archive, a search, a page that is not there. */
export async function read({ visitor: page, at, expect }) {
	await page.goto(at('/'));
	match(await page.title(), /The Mounted Blog/, 'title');
	await pictures(page);
	await page.getByRole('link', { name: 'A renamed post' }).first().click();
	await page.waitForURL(at('/2024/03/its-new-name/'));
	await page.goto(at('/2024/03/post-number-12/'));
	await pictures(page);
	await page.goto(at('/category/news/'));
	match(await page.locator('h1').first().innerText(), /News/i, 'heading of the archive');
	await page.goto(at('/?s=harbour'));
	await page.goto(at('/blog/'));
	match(await page.locator('body').innerText(), /This page is called blog/, 'the page called blog');
	await page.goto(at('/2024/03/its-old-name/'));
	stands(page, at('/2024/03/its-new-name/'));
	expect('/no-such-page/');
	equal((await page.goto(at('/no-such-page/'))).status(), 404, 'status of a page that is not there');
	await page.goto(at('/'));
	return page;
}

/** Pictures in a gallery, a player for sound, a picture as background. */
export async function media({ visitor: page, at }) {
	await page.goto(at('/2024/03/pictures-and-sound/'));
	await page.locator('.mejs-container').first().waitFor();
	const loaded = await page.evaluate(
		() => new Promise((done) => {
			const audio = document.querySelector('audio');
			audio.onloadedmetadata = () => done(audio.duration > 0.9);
			audio.onerror = () => done(false);
			if (audio.readyState > 0) {
				done(audio.duration > 0.9);
			}
			audio.load();
		}),
	);
	equal(loaded, true, 'the sound loads');
	await pictures(page);
	return page;
}

/** Every link of the reading pages answers, and stays on the mount. */
export async function links({ visitor: page, at, base, origins, fault }) {
	const found = new Map();
	for (const path of ['/', '/2024/03/post-number-12/', '/about/', '/category/news/', '/2024/03/traps/', '/2024/03/pictures-and-sound/', '/blocks/', '/author/edith/']) {
		await page.goto(at(path));
		for (const href of await page.locator('a[href]').evaluateAll((all) => all.map((a) => a.href))) {
			found.set(href.replace(/#.*/, ''), path);
		}
	}
	const ours = [];
	for (const [href, path] of found) {
		const url = URL.parse(href);
		if (origins.includes(url?.host)) {
			fault('link', `${href} on ${path} leads to the origin`);
		} else if (url?.origin === base.origin) {
			ours.push(href);
		}
	}
	const seen = await page.evaluate(
		(all) => Promise.all(all.map((href) => fetch(href).then((r) => [href, r.status, r.url], (e) => [href, 0, String(e)]))),
		ours,
	);
	for (const [href, status, url] of seen) {
		if (status !== 200 || !url.startsWith(base.href.replace(/\/$/, ''))) {
			fault('link', `${href} on ${found.get(href)}: ${status} ${url}`);
		}
	}
	if (ours.length < 40) {
		fault('links', `only ${ours.length} were found`);
	}
	return page;
}

/** The password opens the protected post, and it is the post that comes next. */
export async function openProtected({ visitor: page, at, postPassword }) {
	await page.goto(at('/2024/03/behind-a-password/'));
	await page.locator('input[name=post_password]').fill(postPassword);
	await page.locator('.post-password-form input[type=submit]').click();
	await page.getByText('The treasure is buried.').waitFor();
	stands(page, at('/2024/03/behind-a-password/'));
	return page;
}

/** A visitor's comment shows at once, at the address that WordPress sends the visitor to. */
export async function comment({ visitor: page, at }) {
	await page.goto(at('/2024/03/post-number-4/'));
	const reply = page.locator('.comment-reply-link').first();
	await reply.click();
	const cancel = await page.locator('#cancel-comment-reply-link').evaluate((a) => a.href);
	match(cancel, new RegExp(`^${at('/2024/03/post-number-4/')}`), 'address that cancels a reply');
	await page.locator('#cancel-comment-reply-link').click();
	await page.locator('#comment').fill(`I read ${at('/about/')} with pleasure.`);
	await page.locator('#author').fill('Vera Visitor');
	await page.locator('#email').fill('vera@example.org');
	await page.locator('#commentform [type=submit]').click();
	await page.waitForURL(/#comment-\d+$/);
	stands(page, at('/2024/03/post-number-4/'));
	await page.getByText('with pleasure.').waitFor();
	return page;
}

/** The site's own post as an embed: discovery, answer, and the embedded page in a frame. */
export async function oEmbed({ visitor: page, at, base }) {
	await page.goto(at('/2024/03/post-number-12/'));
	const discovered = await page.locator('link[type="application/json+oembed"]').getAttribute('href');
	const answer = await page.evaluate((url) => fetch(url).then(async (r) => ({ status: r.status, body: await r.json() })), discovered);
	equal(answer.status, 200, `status of ${discovered}`);
	match(answer.body.html, new RegExp(`src="${base.href.replace(/[.]/g, '\\.')}2024/03/post-number-12/embed/`), 'embedded frame');
	await page.goto(at('/2024/03/post-number-12/embed/'));
	await page.getByText('Post number 12').first().waitFor();
	return page;
}
