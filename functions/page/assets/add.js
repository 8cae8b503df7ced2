// The form that takes a link.
import {$, attempt, clone, fail, hint, show} from './dom.js';
import {keep, recall} from './session.js';
import {create, load} from './store.js';
import {judge} from './strings.js';

// addForm puts the form into the element with this id; it gives what leads there.
export function addForm(id, done, cancel) {
	const part = clone('t-add'), {el, url, name} = part;
	const fields = [[url, `${id}.url`], [name, `${id}.name`]];
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

	el.onsubmit = event => {
		event.preventDefault();
		attempt(part.submit, part.error, async () => {
			url.focus();
			try {
				const made = await create({webhook_url: url.value.trim(), ...(name.value.trim() && {name: name.value.trim()})});
				for (const [input, draft] of fields) {
					input.value = '';
					keep(draft, null);
				}
				look();
				done(made);
			} catch (error) {
				hint(part.hint);
				// The answer to an earlier try may have been lost: then the connection is there.
				if (error.status === 409) load().catch(() => {});
				throw error;
			}
		});
	};
	$(id).append(el);
	return () => url.focus();
}
