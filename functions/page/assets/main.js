// The page: which of its screens is shown, and the list of cards.
import {now} from './api.js';
import {addForm} from './add.js';
import {card} from './card.js';
import {$, notice, refs, show, text} from './dom.js';
import {recall, session, start} from './session.js';
import {connections, loaded, poll, store} from './store.js';
import {problem} from './strings.js';

const cards = new Map();
let first, next, troubled;

function screen(name) {
	for (const id of ['loading', 'blocked', 'welcome', 'connections']) show($(id), id === name);
	show($('help'), name === 'connections' || name === 'welcome');
}

// block says why the page cannot go on. What is typed stays in the tab's storage.
function block(title, words, again) {
	const part = refs($('blocked'));
	text(part.title, title);
	text(part.text, words);
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
	if (known) block('Время сеанса вышло', 'Откройте «Приложения» → Albato в Нетхаус.Академии ещё раз. Набранное сохранится, а заказы отправляются и без этой страницы.');
	else block('Откройте страницу из Академии', 'В Нетхаус.Академии: «Приложения» → Albato.');
}

// render follows the store. Cards are kept, so that focus, open parts and typed text stay.
function render() {
	if (!session.token) return;
	for (const [id, each] of cards) {
		if (connections.has(id)) continue;
		const focused = each.el.contains(document.activeElement);
		each.el.remove();
		cards.delete(id);
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
	(open ? next : $('add')).focus();
}

// report says when the server cannot be reached, and when it can again.
function report(error) {
	clearTimeout(slow);
	if (!error && troubled) notice('Связь восстановилась.');
	troubled = error;
	if (!error) return;
	if (loaded) notice(error.code === 'offline' ? 'Нет связи: показываем, что знали. Заказы отправляются и без этой страницы.' : problem(error), true);
	else block('Не получилось загрузить', problem(error), () => {
		screen('loading');
		round();
	});
}

const slow = setTimeout(() => show($('slow'), true), 4000);
const round = poll(report);
store.addEventListener('change', render);
store.addEventListener('expired', expired);
addEventListener('hashchange', () => start() && location.reload());
$('add').onclick = () => another(true);
setInterval(() => (session.expires < now() ? expired() : cards.forEach((each) => each.tick())), 5000);

if (start()) {
	first = addForm('first', added);
	next = addForm('next', added, () => another(false));
	$('first').append(first.el);
	$('another').append(next.el);
	round();
} else {
	expired();
}
