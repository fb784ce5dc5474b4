// What a page must not do while it is open: log an error, fail to load
// something, or ask for a URL outside of the mount.

/** Faults collects what was wrong since it was last taken. */
export class Faults {
	#list = [];

	add(what, detail) {
		this.#list.push(`${what}: ${detail}`);
	}

	take() {
		return this.#list.splice(0);
	}
}

// Errors of WordPress's own scripts that come and go with the machine's load, on a
// WordPress without a mount too.
const ownErrors = [
	// The preview of a legacy widget is measured while its frame is loading and has
	// no body yet (setHeight in widgets.js).
	/reading 'offsetHeight'[^]*\/wp-includes\/js\/dist\/widgets(\.min)?\.js/,
];

/**
 * Watches a page and all pages that it opens.
 *
 * @param {import('playwright-core').BrowserContext} context
 * @param {Faults} faults
 * @param {{base: URL, origins: string[], expected: Set<string>}} o
 *   base: public address of the mount; origins: hosts that must never be asked;
 *   expected: paths whose answer may be an error, emptied after each step.
 */
export function watch(context, faults, o) {
	const ours = (url) => url.origin === o.base.origin;
	const prefix = o.base.pathname.replace(/\/*$/, '');
	const below = (path) => path === prefix || path.startsWith(`${prefix}/`);
	const thirdParty = (text) => {
		const url = URL.parse(text);
		return url !== null && /^https?:$/.test(url.protocol) && !ours(url) && !o.origins.includes(url.host);
	};

	const page = (page) => {
		page.on('pageerror', (error) => {
			const text = error.stack ?? error.message;
			if (!ownErrors.some((known) => known.test(text))) {
				faults.add('script error', text);
			}
		});
		page.on('console', (message) => {
			const place = message.location().url;
			// The machine has no network: what third parties serve is missing.
			const mixed = /^Mixed Content:.* '(http:[^']*)'\. This request/.exec(message.text());
			if (message.type() !== 'error' || thirdParty(mixed ? mixed[1] : place) || o.expected.has(URL.parse(place)?.pathname)) {
				return;
			}
			faults.add('console', `${message.text()} (${place})`);
		});
	};
	context.on('page', page);
	context.on('request', (request) => {
		const url = URL.parse(request.url());
		if (url === null || !/^(https?|wss?):$/.test(url.protocol)) {
			return;
		}
		if (o.origins.includes(url.host)) {
			faults.add('asked the origin', request.url());
		} else if (url.host === o.base.host && !(ours(url) && below(url.pathname))) {
			faults.add('left the mount', request.url());
		}
	});
	context.on('requestfailed', (request) => {
		const reason = request.failure()?.errorText ?? '';
		if (reason !== 'net::ERR_ABORTED' && !thirdParty(request.url())) {
			faults.add('failed', `${request.url()} ${reason}`);
		}
	});
	context.on('response', (response) => {
		const url = URL.parse(response.url());
		if (response.status() >= 400 && !thirdParty(response.url()) && !o.expected.has(url?.pathname)) {
			faults.add('answered', `${response.status()} ${response.request().method()} ${response.url()}`);
		}
	});
}
