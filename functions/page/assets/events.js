// The six events of a connection: which are sent, and a test of each.
import {clone, fail, fill, make, press, show} from './dom.js';
import {took} from './format.js';
import {patch, request, triggers} from './store.js';
import {advice, reason} from './strings.js';

export function eventList(id, tested) {
	const el = make('ul', '', 'events');
	const ticked = {}; // here, but not yet confirmed by the server
	let connection;

	const rows = triggers.map(({action, title, description}) => {
		const part = clone('t-event');
		fill(part, {title, when: description, of: `: ${title}`});
		part.box.onchange = () => choose(action, part);
		press(part.test, part.error, async () => {
			part.result.replaceChildren(make('p', 'Отправляем…', 'muted'));
			try {
				part.result.replaceChildren(outcome(await request(id, 'POST', '/test', {action})));
				tested();
			} catch (error) {
				part.result.replaceChildren();
				throw error;
			}
		});
		el.append(part.el);
		return {action, ...part};
	});

	async function choose(action, part) {
		const on = part.box.checked;
		for (const {error} of rows) fail(error);
		if (!on && connection.enabled && connection.actions.every(each => each === action)) {
			part.box.checked = true;
			fail(part.error, {code: 'last_event'});
			return;
		}
		ticked[action] = on;
		try {
			await patch(id, ({actions}) => ({
				actions: triggers.map(each => each.action).filter(each => (each === action ? on : actions.includes(each))),
			}));
		} catch (error) {
			fail(part.error, error);
		}
		delete ticked[action];
		update(connection);
	}

	function update(next) {
		connection = next;
		for (const {action, box} of rows) box.checked = ticked[action] ?? next.actions.includes(action);
	}

	return {
		el, update,
		// point leads to the list and says why.
		point() {
			fail(rows[0].error, {code: 'no_event'});
			rows[0].box.focus();
		},
	};
}

function outcome(answer) {
	const {delivered, status, response} = answer;
	const part = clone('t-result');
	part.word.className = `mark ${delivered ? 'ok' : 'bad'}`;
	fill(part, {
		word: delivered ? 'Albato принял тест' : 'Тест не дошёл',
		more: `${delivered ? `ответ ${status}` : reason(answer.error_text, status)} · ${took(answer.duration_ms)}`,
		advice: delivered ? 'Теперь обновите поля в связке: Albato уже знает их.' : advice,
		sent: JSON.stringify(answer.request, null, 2),
		response: response || 'Пустой ответ, это нормально.',
	});
	show(part.answered, status);
	return part.el;
}
