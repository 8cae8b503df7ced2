// What this tab knows between reloads: the token, and what the organiser has typed.
export const session = {token: '', account: '', expires: Infinity};

// Memory serves where the browser refuses storage (third-party iframes).
const memory = {};
const put = (key, value) => {
	memory[key] = JSON.stringify(value);
	try {
		sessionStorage.setItem(key, memory[key]);
	} catch {}
};
const get = key => {
	let kept = memory[key];
	try {
		kept ??= sessionStorage.getItem(key);
	} catch {}
	return JSON.parse(kept ?? 'null');
};

// start takes the token out of the address: it must not stay in the history or a copied link.
export function start() {
	const fresh = new URLSearchParams(location.hash.slice(1)).get('token');
	if (fresh) {
		history.replaceState(null, '', location.pathname + location.search);
		put('token', fresh);
	}
	session.token = fresh ?? get('token') ?? '';
	try {
		// The claims are read, not judged: the server does that on every call.
		const claims = JSON.parse(atob(session.token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
		session.account = claims.sub;
		session.expires = (claims.exp ?? Infinity) * 1000;
	} catch {
		session.token = '';
	}
	return Boolean(session.token);
}

// recall and keep hold drafts and choices, apart for each account; null forgets.
export const recall = key => get(`${session.account}/${key}`);
export const keep = (key, value) => put(`${session.account}/${key}`, value);
