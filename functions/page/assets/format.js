// Numbers and times as people read them, in the organiser's own zone.
import {now} from './api.js';

const rules = new Intl.PluralRules('ru');
export const plural = (n, one, few, many) => `${n.toLocaleString('ru')} ${{one, few}[rules.select(n)] ?? many}`;
export const events = (n = 0, more) => `${plural(n, 'событие', 'события', 'событий')}${more ? ' и больше' : ''}`;

const clock = new Intl.DateTimeFormat('ru', {timeStyle: 'short'});
const exactly = new Intl.DateTimeFormat('ru', {timeStyle: 'medium'});
const date = new Intl.DateTimeFormat('ru', {day: 'numeric', month: 'long'});
const day = at => new Date(at).setHours(0, 0, 0, 0);

export const hour = iso => clock.format(new Date(iso));

// moment: «сегодня в 14:05», «21 ноября в 14:05».
export function moment(iso, exact) {
	const at = new Date(iso), today = day(now());
	const name = day(at) === today ? 'сегодня' : day(at) === day(today - 1) ? 'вчера' : date.format(at);
	return `${name} в ${(exact ? exactly : clock).format(at)}`;
}

// since goes with «с»: «с 14:05», «с 21 ноября, 14:05».
export const since = iso => (day(iso) === day(now()) ? hour(iso) : `${date.format(new Date(iso))}, ${hour(iso)}`);

// until: «через 5 минут, сегодня в 14:25»; no time is now.
export function until(iso) {
	const seconds = Math.round((new Date(iso) - now()) / 1000), minutes = Math.round(seconds / 60);
	if (!(seconds > 1)) return 'прямо сейчас';
	if (seconds < 90) return `через ${plural(seconds, 'секунду', 'секунды', 'секунд')}`;
	return `через ${minutes < 90 ? plural(minutes, 'минуту', 'минуты', 'минут')
		: plural(Math.round(minutes / 60), 'час', 'часа', 'часов')}, ${moment(iso)}`;
}

export const took = ms => (ms < 1000 ? `${ms} мс` : `${(ms / 1000).toLocaleString('ru', {maximumFractionDigits: 1})} с`);

export const zone = () => new Intl.DateTimeFormat('ru', {timeZoneName: 'long'})
	.formatToParts().find(part => part.type === 'timeZoneName').value;
