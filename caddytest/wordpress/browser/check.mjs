// Small assertions of the steps. Each throws an error that says what was seen.

export function equal(got, want, what) {
	if (got !== want) {
		throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
	}
}

export function match(got, want, what) {
	if (!want.test(got)) {
		throw new Error(`${what}: got ${JSON.stringify(got)}, want ${want}`);
	}
}

/** The page stands at an address of the mount that starts so. */
export function stands(page, address) {
	if (!page.url().startsWith(address)) {
		throw new Error(`the page stands at ${page.url()}, not at ${address}`);
	}
}

/** Waits until every picture of the page that is in view has arrived, and fails for one that is broken. */
export async function pictures(page) {
	const broken = await page.evaluate(async () => {
		const inView = [...document.images].filter((i) => i.getBoundingClientRect().top < innerHeight && i.src);
		await Promise.all(inView.map((i) => i.complete || new Promise((done) => (i.onload = i.onerror = done))));
		return inView.filter((i) => i.naturalWidth === 0).map((i) => i.src);
	});
	equal(broken.join(' '), '', 'broken pictures');
}
