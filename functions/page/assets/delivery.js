// One delivery in the journal, and its detail.
import {pause} from './api.js';
import {ask, clone, copy, fail, fill, make, press, show, text} from './dom.js';
import {moment, took} from './format.js';
import {request, triggers} from './store.js';
import {reason, statuses} from './strings.js';

export function deliveryRow(id, first, changed) {
	const part = clone('t-row');
	let delivery;

	function update(next) {
		const moved = delivery && delivery.last_attempt_at !== next.last_attempt_at;
		delivery = next;
		const [kind, name, words] = statuses[next.status] ?? ['off', next.status];
		show(part.test, next.test);
		part.status.className = `mark ${kind}`;
		fill(part, {
			time: moment(next.created_at),
			title: triggers.find(each => each.action === next.action)?.title ?? next.action,
			order: `заказ ${next.order_id}`,
			status: name,
			why: next.last_error ? reason(next.error_text, next.last_status) : '',
			explain: words,
		});
		if (moved && !part.detail.hidden && !next.attempts_log) open();
	}

	const open = () => load().then(() => fail(part.error), error => fail(part.error, error));

	async function load() {
		const found = await request(id, 'GET', `/deliveries/${delivery.id}`);
		update(found);
		const {payload, attempts, attempts_log: log = []} = found;
		text(part.payload, payload ? JSON.stringify(payload, null, 2) : 'Данные уже удалены: срок хранения вышел.');
		show(part.sent, true);
		show(part.copy, payload);
		part.attempts.start = Math.max(1, attempts - log.length + 1);
		part.attempts.replaceChildren(...log.map(each => make('li', `${moment(each.at, true)} · ${each.error ? reason(each.error_text, each.status) : `принято (ответ ${each.status})`} · ${took(each.duration_ms)}${each.response ? ` · «${each.response}»` : ''}`)));
		show(part.tried, log.length);
	}

	async function again() {
		const before = delivery.last_attempt_at;
		await request(id, 'POST', `/deliveries/${delivery.id}/retry`);
		text(part.note, 'Отправляем…');
		for (let step = 0; step < 6 && delivery.last_attempt_at === before; step++) {
			await pause(step);
			await load();
		}
		changed();
		text(part.note, delivery.last_attempt_at === before ? 'Событие в очереди.' : 'Отправлено.');
	}

	part.open.onclick = () => {
		const wanted = part.open.ariaExpanded === 'false';
		part.open.ariaExpanded = wanted;
		show(part.detail, wanted);
		if (wanted) open();
	};
	press(part.retry, part.error, async () => {
		if (delivery.status !== 'delivered') return again();
		ask({
			title: 'Отправить ещё раз?', yes: 'Отправить',
			words: 'Albato уже принял это событие. Связка сработает второй раз: это ещё один запуск.',
			save: () => void again().catch(error => fail(part.error, error)),
		});
	});
	part.copy.onclick = () => copy(part.payload, part.note);
	part.el.dataset.id = first.id;
	update(first);
	return {el: part.el, update, focus: () => part.open.focus()};
}
