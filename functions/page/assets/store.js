// The connections as last heard of, and every change to them; tells `change` and `expired`.
import {ApiError, call} from './api.js';
import {session} from './session.js';

export const store = new EventTarget();
export const connections = new Map();
export let triggers = [];

let epoch = 0; // a list that was asked for before a change knows nothing of it
const queues = {};

const tell = name => store.dispatchEvent(new Event(name));

function accept(connection) {
	if (!(connection.version < connections.get(connection.id)?.version)) connections.set(connection.id, connection);
}

// request calls the API about a connection, or all of them when id is empty.
export async function request(id, method, rest = '', body, headers) {
	try {
		return await call(method, `accounts/${encodeURIComponent(session.account)}/connections${id && `/${id}`}${rest}`, body, headers);
	} catch (error) {
		if (error.status === 401) tell('expired');
		if (error.status === 404 && id && !rest.startsWith('/deliveries/')) gone(id);
		throw error;
	}
}

function gone(id) {
	epoch++;
	connections.delete(id);
	tell('change');
}

export async function load() {
	const before = epoch;
	const [list, catalogue] = await Promise.all([request('', 'GET'), triggers.length ? null : call('GET', 'triggers')]);
	if (catalogue) triggers = catalogue.triggers;
	if (before === epoch) {
		const ids = new Set(list.connections.map(each => each.id));
		for (const id of connections.keys()) if (!ids.has(id)) connections.delete(id);
		list.connections.forEach(accept);
	}
	tell('change');
}

async function taken(answer) {
	const connection = await answer;
	epoch++;
	accept(connection);
	tell('change');
	return connection;
}

export const refresh = id => taken(request(id, 'GET'));
export const create = fields => taken(request('', 'POST', '', fields));

export async function remove(id) {
	await request(id, 'DELETE');
	gone(id);
}

// patch makes one change after another, each on the version last seen. When another tab was quicker, the newer state is
// shown, and the error goes to the caller, who still has what was typed.
export function patch(id, change) {
	queues[id] = Promise.resolve(queues[id]).catch(() => {}).then(async () => {
		const known = connections.get(id);
		if (!known) throw new ApiError('not_found', 404);
		try {
			return await taken(request(id, 'PATCH', '', change(known), {'if-match': `"${known.version}"`}));
		} catch (error) {
			if (error.status === 412) await refresh(id).catch(() => {});
			throw error;
		}
	});
	return queues[id];
}

// poll keeps the list fresh while the tab is seen: quicker when something is wrong, slower when the server is.
export function poll(report) {
	let timer, failures = 0;
	async function round() {
		clearTimeout(timer);
		let wait = 15_000;
		try {
			await load();
			failures = 0;
			report();
			if ([...connections.values()].some(each => each.enabled && each.health.state !== 'healthy')) wait = 5000;
		} catch (error) {
			if (!session.token) return;
			wait = Math.max(error.retryAfter * 1000 || 0, Math.min(60_000, 2000 * 2 ** failures++));
			report(error);
		}
		clearTimeout(timer);
		if (!document.hidden) timer = setTimeout(round, wait);
	}
	const wake = () => document.hidden || !session.token || round();
	document.addEventListener('visibilitychange', wake);
	addEventListener('online', wake);
	addEventListener('offline', () => report(new ApiError('offline')));
	return round;
}
