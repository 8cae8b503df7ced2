// Calls to the public API of the same origin.
import {session} from './session.js';

const patience = 25_000; // ms; a test waits for Albato

// ApiError is a call that did not succeed; code is the API's own, or `offline` or `timeout`.
export class ApiError extends Error {
	constructor(code, status, problem, retryAfter) {
		super(code);
		Object.assign(this, {code, status, problem, retryAfter});
	}
}

let skew = 0;

// now is the server's time as far as known: the organiser's clock may be wrong.
export const now = () => Date.now() + skew;

// pause waits, longer at each step, up to 5 s.
export const pause = step => new Promise(done => setTimeout(done, Math.min(5000, 500 * 1.3 ** step)));

export async function call(method, url, body, headers) {
	let response, text;
	try {
		response = await fetch(new URL(`v1/${url}`, location), {
			method,
			headers: {authorization: `Bearer ${session.token}`, ...(body && {'content-type': 'application/json'}), ...headers},
			body: body && JSON.stringify(body),
			cache: 'no-store',
			signal: AbortSignal.timeout(patience),
		});
		text = await response.text();
	} catch (error) {
		throw new ApiError(error.name === 'TimeoutError' ? 'timeout' : 'offline');
	}
	const date = Date.parse(response.headers.get('date'));
	if (Math.abs(date - now()) > 2000) skew = date - Date.now();
	const value = parse(text);
	if (response.ok && (value || !text)) return value;
	throw new ApiError(value?.code, response.status, value, Number(response.headers.get('retry-after')));
}

// Numbers beyond 2^53 keep their digits where the browser can.
function parse(text) {
	try {
		return JSON.parse(text, (_, value, context) =>
			Number.isInteger(value) && !Number.isSafeInteger(value) && JSON.rawJSON ? JSON.rawJSON(context.source) : value);
	} catch {}
}
