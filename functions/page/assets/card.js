// One connection: state, switch, settings; once opened, events and journal.
import {ask, attempt, clone, fail, notice, show, text} from './dom.js';
import {eventList} from './events.js';
import {events, moment, since} from './format.js';
import {journal} from './journal.js';
import {keep, recall} from './session.js';
import {patch, remove} from './store.js';
import {judge, states} from './strings.js';
import {trouble} from './trouble.js';

export function card(first, open) {
	const {id} = first;
	const part = clone('t-card'), {expand, toggle} = part;
	let connection = first, switching, list, log;
	const help = trouble(part, id, () => log?.reload());

	function unfold(wanted) {
		expand.ariaExpanded = wanted;
		show(part.body, wanted);
		if (!wanted || list) return;
		log = journal(id);
		list = eventList(id, () => {
			keep(`tested:${id}`, true);
			update(connection);
			log.reload();
		});
		part.events.append(list.el);
		part.journal.append(log.el);
		update(connection);
	}

	function update(next) {
		const {enabled, actions, health} = next;
		const fresh = connection.health.last_delivered_at !== health.last_delivered_at;
		connection = next;
		const last = health.last_delivered_at && moment(health.last_delivered_at);
		const state = !enabled ? 'off' : health.state === 'healthy' && !last ? 'new' : health.state;
		const [kind, word, aside] = states[state];
		text(part.name, next.name || 'Albato');
		part.state.className = `mark ${kind}`;
		text(part.state, word);
		text(part.aside, [
			next.origin && 'подключил сам Albato',
			aside ?? (state === 'healthy' ? '' : `с ${since(health.since)}, ждут: ${events(health.waiting, health.waiting_more)}`),
			last && `последняя доставка ${last}`,
		].filter(Boolean).join('; '));
		if (!switching) toggle.checked = enabled;
		text(part.link, next.webhook_url);
		show(part.setup, !enabled);
		const done = [actions.length, recall(`tested:${id}`)];
		[...part.todo.children].forEach((step, i) => {
			step.className = done[i] ? 'done' : '';
			text(step.lastChild, done[i] ? ' — сделано' : '');
		});
		help.update(next);
		list?.update(next);
		if (fresh) log?.reload();
	}

	const waiting = () => connection.health.waiting;

	async function turn() {
		const enabled = toggle.checked;
		fail(part.error);
		if (enabled && !connection.actions.length) {
			toggle.checked = false;
			unfold(true);
			list.point();
			return;
		}
		if (!enabled && waiting()) {
			toggle.checked = true;
			ask({
				title: 'Выключить?', yes: 'Выключить', danger: true,
				words: `Отправки ждут: ${events(waiting(), connection.health.waiting_more)}. Если выключить, они не уйдут в Albato.`,
				save: () => patch(id, () => ({enabled})),
			});
			return;
		}
		switching = true;
		await attempt(toggle, part.error, async () => {
			await patch(id, () => ({enabled}));
			notice(enabled ? 'Включено: новые заказы пойдут в Albato.' : 'Выключено: заказы в Albato не уходят и не копятся.');
		});
		switching = false;
		update(connection);
	}

	toggle.onchange = turn;
	expand.onclick = () => {
		const wanted = expand.ariaExpanded === 'false';
		keep(`open:${id}`, wanted);
		unfold(wanted);
	};
	part.relink.onclick = part.relink2.onclick = () => ask({
		title: 'Заменить ссылку', label: 'Новая ссылка из поля Webhook', yes: 'Заменить', key: `relink:${id}`, judge,
		words: `Сейчас: ${connection.webhook_url}. Все события, и те, что ждут, пойдут по новой.`,
		save: async link => {
			await patch(id, () => ({webhook_url: link}));
			keep(`tested:${id}`, null);
			notice('Ссылка заменена. Проверьте её тестом.');
		},
	});
	part.rename.onclick = () => ask({
		title: 'Переименовать', label: 'Название, видно только вам', value: connection.name, yes: 'Сохранить', key: `rename:${id}`,
		save: name => patch(id, () => ({name})),
	});
	part.remove.onclick = () => ask({
		title: `Удалить «${part.name.textContent}»?`, yes: 'Удалить', danger: true,
		words: `Заказы перестанут уходить по этой ссылке, журнал исчезнет.${waiting() ? ` Не уйдут и те, что ждут: ${events(waiting())}.` : ''} Вернуть нельзя. Связка в Albato останется.`,
		save: () => remove(id),
	});

	unfold(open);
	return {
		el: part.el, update, tick: help.tick,
		// welcome opens a card just made and takes the reader there.
		welcome() {
			unfold(true);
			part.title.focus();
			notice('Ссылка подключена. Теперь отметьте событие.');
		},
	};
}
