// What index.html does not say.
import {plural} from './format.js';

export const advice = 'Проверьте связку в Albato: запущена ли она, та ли ссылка в поле Webhook. Если другая, замените её здесь.';

// reason says what went wrong, in the server's words where it has some.
export const reason = (words, status) =>
	words || (status ? `Albato не принял событие (ответ ${status}).` : 'Не удалось связаться с Albato.');

export const states = {
	off: ['off', 'Выключена', 'заказы не отправляются'],
	new: ['ok', 'Работает', 'ждём первое событие'],
	healthy: ['ok', 'Работает'],
	failing: ['warn', 'Есть сбои, повторяем'],
	suspended: ['bad', 'Приостановлена'],
};

export const statuses = {
	delivered: ['ok', 'Доставлено', 'Albato принял данные. Что сделала связка, видно в её истории.'],
	waiting: ['wait', 'Ждёт повтора', 'Отправим сами, как только Albato ответит.'],
	failed: ['bad', 'Не принято', 'Albato отказался от этого события. Остальные уходят дальше.'],
	held: ['wait', 'Отложено', 'Уйдёт, когда вы возобновите отправку.'],
	skipped: ['off', 'Пропущено', 'Когда подошла очередь, подключение было выключено.'],
};

const problems = {
	offline: 'Нет связи. Проверьте интернет и повторите.',
	timeout: 'Сервер не отвечает. Попробуйте ещё раз.',
	not_found: 'Этого уже нет: удалили в другой вкладке.',
	webhook_url_taken: 'Эта ссылка уже подключена. У каждой связки — своя ссылка.',
	too_many_connections: 'Больше 20 подключений нельзя. Удалите ненужное.',
	precondition_failed: 'Подключение изменили в другой вкладке. Проверьте новое состояние и повторите.',
	invalid_request: 'Так сохранить нельзя: проверьте, что введено.',
	no_event: 'Сначала отметьте событие, выбранное триггером в связке.',
	last_event: 'Нужно хотя бы одно событие — или выключите подключение вверху.',
};

// problem says why a call did not succeed. The server's texts are shown where they are Russian.
export function problem({code, status, problem: body, retryAfter}) {
	const said = (body?.errors ?? []).map(each => each.detail).filter(each => /[а-яё]/i.test(each)).join(' ') || problems[code];
	if (said) return said;
	if (status === 429 || status === 503) return `Сервис занят. Попробуйте через ${plural(retryAfter || 5, 'секунду', 'секунды', 'секунд')}.`;
	return `Что-то сломалось у нас. Попробуйте ещё раз${body?.request_id ? `, а если не поможет, назовите поддержке код ${body.request_id}` : ''}.`;
}

const hosts = document.body.dataset.hosts.split(' ');

// judge is the instant check of a link. It only advises: the server decides.
export function judge(typed) {
	const value = typed.trim(), start = `https://${hosts[0]}/`;
	const bad = what => ['bad', `${what}. Нужна ссылка из поля Webhook, целиком: она начинается с ${start}`];
	if (!value) return ['', `Начинается с ${start}`];
	if (/\s/.test(value)) return bad('Здесь пробел');
	if (value.includes('…')) return bad('Это сокращённая ссылка');
	if (!URL.canParse(value)) return bad('Это не ссылка');
	const {protocol, host, hostname, pathname} = new URL(value);
	if (hosts.includes('localhost') && /^(localhost|127\.0\.0\.1)$/.test(hostname)) return ['ok', 'Ссылка на этот компьютер.'];
	if (protocol !== 'https:' || !hosts.includes(host)) return bad(`Это другая ссылка: ${protocol}//${host}`);
	if (pathname.length < 8) return bad('Это только начало ссылки');
	return ['ok', 'Похоже на ссылку Albato.'];
}
