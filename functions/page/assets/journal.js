// One connection's journal.
import {drawChart} from './chart.js';
import {deliveryRow} from './delivery.js';
import {clone, fail, press, show, text} from './dom.js';
import {zone} from './format.js';
import {keep, recall} from './session.js';
import {request, triggers} from './store.js';
import {statuses} from './strings.js';

const page = 20;

export function journal(id) {
	const part = clone('t-journal'), {action, status, order} = part;
	const rows = new Map(), key = `filter:${id}`;
	let cursor, turn = 0, typing, drawn;

	triggers.forEach(each => action.append(new Option(each.title, each.action)));
	Object.entries(statuses).forEach(([value, [, name]]) => status.append(new Option(name, value)));
	[action.value, status.value, order.value] = recall(key) ?? ['', '', ''];
	text(part.zone, `Время: ${zone()}.`);
	const filter = () => [action.value, status.value, order.value.trim()];

	function take(cursor) {
		const [action, status, order_id] = filter();
		const query = Object.entries({limit: page, action, status, order_id, cursor}).filter(([, value]) => value);
		return request(id, 'GET', `/deliveries?${new URLSearchParams(query)}`);
	}

	// put shows deliveries, newest first: ids sort by time. It gives the first one that was not shown yet.
	function put(deliveries) {
		let fresh;
		for (const each of deliveries) {
			let row = rows.get(each.id);
			if (row) row.update(each);
			else {
				row = deliveryRow(id, each, reload);
				fresh ??= row;
				rows.set(each.id, row);
				part.rows.insertBefore(row.el, [...part.rows.children].find(li => li.dataset.id < each.id) ?? null);
			}
		}
		show(part.empty, !rows.size);
		text(part.empty, filter().some(Boolean) ? 'Ничего не нашлось. Измените фильтр.' : 'Здесь появятся отправленные события.');
		show(part.more, cursor);
		return fresh;
	}

	async function begin() {
		const mine = ++turn;
		part.rows.ariaBusy = 'true';
		try {
			const found = await take();
			if (mine !== turn) return;
			fail(part.error);
			rows.clear();
			part.rows.replaceChildren();
			cursor = found.next_cursor;
			put(found.deliveries);
			chart(found);
		} catch (error) {
			if (mine === turn) fail(part.error, error);
		}
		part.rows.ariaBusy = null;
	}

	// chart asks for the sums after a change.
	const chart = found => drawn !== (drawn = JSON.stringify(found)) &&
		request(id, 'GET', '/deliveries/summary').then(sums => drawChart(part, sums), () => {});

	// reload takes in what is new and keeps what is open.
	async function reload() {
		if (document.hidden || !part.el.offsetParent || part.rows.ariaBusy) return;
		const mine = turn, found = await take().catch(() => null);
		if (!found || mine !== turn) return;
		if (found.deliveries.length === page && !found.deliveries.some(each => rows.has(each.id))) return begin();
		put(found.deliveries);
		chart(found);
	}

	function changed() {
		keep(key, filter());
		begin();
	}
	action.onchange = status.onchange = changed;
	order.oninput = () => {
		clearTimeout(typing);
		typing = setTimeout(changed, 350);
	};
	part.filter.onsubmit = event => event.preventDefault();
	press(part.more, part.error, async () => {
		const mine = turn, found = await take(cursor);
		if (mine !== turn) return;
		cursor = found.next_cursor;
		put(found.deliveries)?.focus();
	});
	begin();
	setInterval(reload, 10_000);
	return {el: part.el, reload};
}
