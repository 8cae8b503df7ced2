// What is wrong with a connection, what to do, and the way back: a progress that survives a reload.
import {now, pause} from './api.js';
import {fill, notice, press, show, text} from './dom.js';
import {events, moment, until} from './format.js';
import {keep, recall} from './session.js';
import {connections, refresh, request} from './store.js';
import {advice, reason} from './strings.js';

export function trouble(part, id, over) {
	const key = `resume:${id}`;
	let connection, following, again;

	function update(next) {
		connection = next;
		const {enabled, health} = next;
		const bad = enabled && health.state !== 'healthy';
		let run = recall(key);
		if (run && (!enabled || ended(run, health))) {
			keep(key, null);
			run = null;
			over();
		}
		if (!bad) again = false;
		show(part.trouble, bad || run);
		show(part.running, run);
		show(part.way, !run);
		show(part.facts, !run);
		if (run) progress(run, health);
		else if (bad) explain(health);
	}

	function explain(health) {
		const suspended = health.state === 'suspended';
		part.trouble.classList.toggle('bad', suspended);
		const said = [
			reason(health.last_error_text, health.last_status),
			moment(health.since),
			events(health.waiting, health.waiting_more),
			suspended ? 'сама не начнётся, нужны вы' : until(health.next_attempt_at),
		];
		part.facts.querySelectorAll('dd').forEach((node, i) => text(node, said[i]));
		fill(part, {
			what: again ? 'Попробовали ещё раз — пока не получается' : suspended ? 'Отправка приостановлена' : 'Albato не принимает события, мы повторяем',
			advice: `${advice} События ждут по порядку, ничего не потеряно.`,
			resume: suspended ? 'Отправить накопленное' : 'Попробовать сейчас',
		});
	}

	function progress(run, {waiting = 0, waiting_more: more}) {
		run.total = Math.max(run.total, waiting);
		keep(key, run);
		part.trouble.classList.remove('bad');
		part.bar.max = run.total || 1;
		if (more) part.bar.removeAttribute('value');
		else part.bar.value = run.total - waiting;
		fill(part, {
			what: 'Отправляем накопленное',
			advice: 'События уходят по порядку. Страницу можно закрыть.',
			left: more ? `Осталось больше ${waiting}` : `Отправлено ${run.total - waiting} из ${run.total}`,
		});
		follow();
	}

	// ended tells whether a run is over, and says how.
	function ended(run, health) {
		if (health.state === 'healthy' && !health.waiting) {
			notice(`Готово, отправка работает.${run.total ? ` Накопленное ушло в Albato: ${events(run.total)}.` : ''}`);
			return true;
		}
		again = health.state === 'suspended'
			|| health.attempts > 0 && health.next_attempt_at !== run.next && new Date(health.next_attempt_at) > now();
		if (again) notice('Попробовали ещё раз, но Albato пока не принимает события.');
		return again;
	}

	// follow looks often at first, then less, as long as the run lasts.
	async function follow() {
		if (following) return;
		following = true;
		for (let step = 0; recall(key) && connections.has(id); step++) {
			await pause(step);
			if (!document.hidden) await refresh(id).catch(() => {});
		}
		following = false;
	}

	press(part.resume, part.error, async () => {
		const {waiting: total = 0, next_attempt_at: next} = connection.health;
		await request(id, 'POST', '/resume');
		keep(key, {total, next});
		await refresh(id);
		part.what.focus();
	});

	return {
		update,
		tick() {
			if (!part.facts.hidden && !part.trouble.hidden) explain(connection.health);
		},
	};
}
