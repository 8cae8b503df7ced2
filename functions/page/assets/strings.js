// What the page says that is not in index.html.
import {plural} from './format.js';

const wait = 'Обычно это проходит само. Если нет, проверьте, работает ли Albato.';
const link = 'Откройте связку в Albato: запущена ли она, та ли ссылка в поле Webhook. Если другая — замените её здесь.';
const data = 'В журнале видно, что ответил Albato. Если непонятно, покажите ответ поддержке Albato.';

// advice says what to do about a failure, by its stable code.
export const advice = (code) => (/^http_(3|401|403|404|410)/.test(code) ? link : /^http_4(?!08|29)/.test(code) ? data : wait);

// reason says what went wrong, in the server's words where it has some.
export function reason(code, status, words) {
	const said = words || (code === 'timeout' ? 'Albato не ответил вовремя' : status >= 300 && status < 500 ? 'Albato не принял данные'
		: status >= 500 ? 'Сбой на стороне Albato' : 'Не удалось связаться с Albato');
	return status ? `${said} (ответ ${status})` : said;
}

export const states = {
	off: ['off', 'Выключена', 'заказы не отправляются'],
	new: ['ok', 'Работает', 'ждём первое событие'],
	healthy: ['ok', 'Работает'],
	failing: ['warn', 'Есть сбои, повторяем'],
	suspended: ['bad', 'Приостановлена'],
};

export const statuses = {
	delivered: ['ok', 'Доставлено', 'Albato принял данные. Что с ними сделала связка, видно в истории Albato.'],
	waiting: ['wait', 'Ждёт повтора', 'Отправим сами, как только Albato ответит.'],
	failed: ['bad', 'Не принято', 'Albato отказался принять это событие. Остальные отправляются дальше.'],
	held: ['wait', 'Отложено', 'Отправка приостановлена. Событие уйдёт, когда вы её возобновите.'],
	skipped: ['off', 'Пропущено', 'Когда подошла очередь, подключение было выключено.'],
};

const stale = 'Подключение только что изменили в другой вкладке. Теперь видно новое состояние: проверьте и повторите.';
const problems = {
	offline: 'Нет связи. Проверьте интернет и повторите.',
	timeout: 'Сервер слишком долго не отвечает. Попробуйте ещё раз.',
	unauthorized: 'Время сеанса вышло.',
	not_found: 'Этого уже нет: удалили в другой вкладке.',
	webhook_url_taken: 'Эта ссылка уже подключена. У каждой связки — своя ссылка.',
	too_many_connections: 'Подключений уже 20, больше нельзя. Сначала удалите ненужное.',
	conflict: stale,
	precondition_failed: stale,
	invalid_request: 'Так сохранить нельзя: проверьте, что введено.',
};

// problem says why a call did not succeed. The server's texts are shown where they are Russian.
export function problem({code, problem: body, retryAfter}) {
	const said = (body?.errors ?? []).map((each) => each.detail).filter((each) => /[а-яё]/i.test(each)).join(' ');
	if (said || problems[code]) return said || problems[code];
	if (retryAfter) return `Сервис занят. Попробуйте через ${plural(retryAfter, 'секунду', 'секунды', 'секунд')}.`;
	return `Что-то сломалось у нас. Попробуйте ещё раз${body?.request_id ? `, а если не поможет, назовите поддержке код ${body.request_id}` : ''}.`;
}

// judgeLink is the instant check. It only advises: the server decides.
export function judgeLink(typed, hosts) {
	const value = typed.trim(), start = `https://${hosts[0]}/`;
	const bad = (words) => ['bad', words];
	if (!value) return ['', `Начинается с ${start}`];
	if (/\s/.test(value)) return bad('В ссылке пробел. Скопируйте её ещё раз, целиком.');
	if (value.includes('…')) return bad('Это сокращённая ссылка. Нужна полная, из поля Webhook.');
	if (!URL.canParse(value)) return bad(`Это не ссылка. Нужна та, что в поле Webhook: ${start}…`);
	const url = new URL(value);
	if (hosts.includes('localhost') && /^(localhost|127\.0\.0\.1)$/.test(url.hostname)) return ['ok', 'Ссылка этого компьютера, для проверки.'];
	if (url.protocol !== 'https:') return bad('Ссылка должна начинаться с https://');
	if (!hosts.includes(url.host)) return bad(`Это ссылка на ${url.host}. Нужна та, что в поле Webhook: ${start}…`);
	if (url.pathname.length < 8) return bad('Это только начало ссылки. Скопируйте её целиком.');
	return ['ok', 'Похоже на ссылку Albato.'];
}
