// Which screen is shown, the list of cards, and the help.
import {ApiError, now} from './api.js';
import {addForm} from './add.js';
import {card} from './card.js';
import {$, copy, fill, notice, press, refs, show, text} from './dom.js';
import {recall, session, start} from './session.js';
import {connections, poll, store, triggers} from './store.js';
import {problem} from './strings.js';

const cards = new Map();
let next, troubled;

function screen(name) {
	for (const id of ['loading', 'blocked', 'welcome', 'connections']) show($(id), id === name);
	show($('help'), name === 'connections' || name === 'welcome');
}

// block says why the page cannot go on.
function block(title, words, again) {
	const part = refs($('blocked'));
	fill(part, {title, text: words});
	show(part.again, again);
	part.again.onclick = again;
	screen('blocked');
	part.title.focus();
}

function expired() {
	const known = session.token;
	session.token = '';
	session.expires = Infinity;
	$('ask').close();
	notice('');
	if (known) block('Время сеанса вышло', 'Откройте «Приложения» → Albato в Академии ещё раз. Набранное сохранится, а заказы уходят и без этой страницы.');
	else block('Откройте страницу из Академии', '«Приложения» → Albato.');
}

// render follows the store. Cards are kept, so that focus, open parts and typed text stay.
function render() {
	if (!session.token) return;
	for (const [id, each] of cards) {
		if (connections.has(id)) continue;
		const focused = each.el.contains(document.activeElement);
		each.el.remove();
		cards.delete(id);
		notice('Подключение удалено.');
		if (focused) $('connections-title').focus();
	}
	for (const connection of connections.values()) {
		let each = cards.get(connection.id);
		if (!each) {
			each = card(connection, recall(`open:${connection.id}`) ?? connections.size === 1);
			cards.set(connection.id, each);
			$('list').append(each.el);
		}
		each.update(connection);
	}
	screen(connections.size ? 'connections' : 'welcome');
}

function added({id}) {
	another(false);
	cards.get(id).welcome();
}

function another(open) {
	show($('another'), open);
	show($('add'), !open);
	if (open) next();
	else $('add').focus();
}

function report(error) {
	clearTimeout(slow);
	if (!error && troubled) notice('Связь восстановилась.');
	troubled = error;
	if (!error) return;
	if (triggers.length) notice(error.code === 'offline' ? 'Нет связи. Заказы уходят и без этой страницы.' : problem(error), true);
	else block('Не получилось загрузить', problem(error), () => {
		screen('loading');
		round();
	});
}

const {error, code, note} = refs($('help'));
for (const button of $('help').querySelectorAll('button')) {
	press(button, error, async () => {
		const file = await fetch(new URL(button.value, import.meta.url)).catch(() => ({}));
		if (!file.ok) throw new ApiError('timeout');
		text(code, await file.text());
		show(code, true);
		await copy(code, note);
	});
}

const slow = setTimeout(() => show($('slow'), true), 4000);
const round = poll(report);
store.addEventListener('change', render);
store.addEventListener('expired', () => session.token && expired());
addEventListener('hashchange', () => start() && location.reload());
$('add').onclick = () => another(true);
setInterval(() => (session.expires < now() ? expired() : cards.forEach(each => each.tick())), 5000);

if (start()) {
	addForm('first', added);
	next = addForm('another', added, () => another(false));
	round();
} else {
	expired();
}
