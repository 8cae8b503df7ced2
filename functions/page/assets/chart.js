// The last 24 hours, a bar an hour: told apart by pattern, and in words.
import {make} from './dom.js';
import {hour} from './format.js';

const kinds = {delivered: 'доставлено', waiting: 'ждут', failed: 'не принято'};

export function drawChart(part, {hours, complete}) {
	const counts = hours.map(({delivered, waiting, held, failed}) => ({delivered, waiting: waiting + held, failed}));
	const sum = each => Object.values(each).reduce((a, b) => a + b);
	const top = Math.max(1, ...counts.map(sum));
	part.bars.replaceChildren(...counts.map((each, i) => {
		const column = make('div', '');
		const said = Object.keys(kinds).filter(kind => each[kind]).map(kind => {
			column.append(make('i', '', kind));
			column.lastChild.style.height = `${each[kind] / top * 100}%`;
			return `${kinds[kind]} ${each[kind]}`;
		});
		column.title = `${hour(hours[i].start)}: ${said.join(', ') || 'ничего'}`;
		return column;
	}));
	part.axis.replaceChildren(...[0, 6, 12, 18].map(i => make('span', hour(hours[i].start))), make('span', 'сейчас'));
	part.legend.replaceChildren(complete ? 'За сутки:' : 'За сутки, не меньше:', ...Object.keys(kinds).map(kind => {
		const entry = make('span', `${kinds[kind]} ${counts.reduce((a, each) => a + each[kind], 0)}`);
		entry.prepend(make('i', '', kind));
		return entry;
	}));
}
