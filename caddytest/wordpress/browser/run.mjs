// Drives a browser through a WordPress. Its one argument is a JSON object:
//
//   base       public address of the mount, with a slash at the end
//   routes     where hosts are: {"example.com:443": "127.0.0.1:40123"}
//   origins    hosts that no page may ask
//   user, password, postPassword
//   out        folder for screenshots
//   steps      names of the steps to go, in order
//   chromium   path of the browser
//
// It prints one JSON object a line and step: {"step", "ms", "faults": [...]}.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Faults, watch } from './watch.mjs';
import * as site from './site.mjs';
import * as admin from './admin.mjs';
import * as editor from './editor.mjs';

const options = JSON.parse(process.argv[2]);
const steps = { ...site, ...admin, ...editor };

const rules = Object.entries(options.routes).map(([from, to]) => `MAP ${from} ${to}`);
const profile = mkdtempSync(join(tmpdir(), 'mount-browser-'));
const browser = await chromium.launch({
	executablePath: options.chromium,
	args: [
		'--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-dev-shm-usage',
		'--disable-background-networking', '--disable-component-update', '--disable-sync',
		`--host-resolver-rules=${[...rules, 'MAP * ~NOTFOUND'].join(',')}`,
	],
	env: { ...process.env, HOME: profile },
});

const faults = new Faults();
const expected = new Set();
const base = new URL(options.base);

/** A person with cookies of their own. */
async function person() {
	const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 } });
	context.setDefaultTimeout(30_000);
	watch(context, faults, { base, origins: options.origins, expected });
	const page = await context.newPage();
	page.on('dialog', (dialog) => dialog.accept());
	return page;
}

const world = {
	...options,
	base,
	visitor: await person(),
	admin: await person(),
	/** Address of a path of the site. */
	at: (path) => new URL(path.replace(/^\//, ''), base).href,
	/** Says that the answer for a path of the site is an error. */
	expect: (path) => expected.add(new URL(path.replace(/^\//, ''), base).pathname),
	fault: (what, detail) => faults.add(what, detail),
};

let pictures = 0;
for (const name of options.steps) {
	const start = Date.now();
	let page;
	try {
		page = await steps[name](world);
	} catch (error) {
		faults.add('step', error.stack ?? String(error));
		page = world.last;
	}
	for (const [who, shown] of page ? [['', page]] : [['-visitor', world.visitor], ['-admin', world.admin]]) {
		const file = join(options.out, `${String(++pictures).padStart(2, '0')}-${name}${who}.png`);
		await shown.screenshot({ path: file }).catch((error) => faults.add('screenshot', error.message));
	}
	expected.clear();
	console.log(JSON.stringify({ step: name, ms: Date.now() - start, faults: faults.take() }));
}

await browser.close();
rmSync(profile, { recursive: true, force: true });
