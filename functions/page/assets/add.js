// The form that takes a link.
import {clone, fail, hint, show, text} from './dom.js';
import {keep, recall} from './session.js';
import {create, load} from './store.js';
import {judgeLink} from './strings.js';

const hosts = document.body.dataset.hosts.split(' ');
export const judge = (typed) => judgeLink(typed, hosts);

export function addForm(key, done, cancel) {
	const part = clone('t-add'), {el, url, name} = part;
	const fields = [[url, `${key}.url`], [name, `${key}.name`]];
	show(part.naming, cancel);
	show(part.cancel, cancel);
	part.cancel.onclick = cancel;

	function look() {
		const verdict = judge(url.value);
		hint(part.hint, verdict);
		url.ariaInvalid = verdict[0] === 'bad' ? 'true' : null;
	}
	for (const [input, draft] of fields) {
		input.value = recall(draft) ?? '';
		input.addEventListener('input', () => {
			keep(draft, input.value);
			fail(part.error);
			look();
		});
	}
	look();

	el.addEventListener('submit', async (event) => {
		event.preventDefault();
		if (part.submit.ariaDisabled) return;
		const link = url.value.trim();
		if (!link) {
			hint(part.hint, ['bad', 'Вставьте ссылку из Albato.']);
			url.focus();
			return;
		}
		part.submit.ariaDisabled = 'true';
		fail(part.error);
		try {
			const made = await create({webhook_url: link, ...(name.value.trim() && {name: name.value.trim()})});
			for (const [input, draft] of fields) {
				input.value = '';
				keep(draft, null);
			}
			look();
			done(made);
		} catch (error) {
			fail(part.error, error);
			url.focus();
			// The answer to an earlier try may have been lost on its way: then the connection is there already.
			if (error.status === 409) load().catch(() => {});
		}
		part.submit.ariaDisabled = null;
	});
	return {el, focus: () => url.focus()};
}
