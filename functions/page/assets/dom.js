// The small pieces of every view.
import {keep, recall} from './session.js';
import {problem} from './strings.js';

export const $ = id => document.getElementById(id);
export const refs = el => Object.fromEntries([...el.querySelectorAll('[data-ref]')].map(node => [node.dataset.ref, node]));

let copies = 0;

// clone copies a template: its parts by data-ref, its ids made unique.
export function clone(id) {
	const el = $(id).content.firstElementChild.cloneNode(true);
	copies++;
	for (const node of [el, ...el.querySelectorAll('*')]) {
		for (const name of ['id', 'for', 'aria-describedby', 'aria-controls', 'aria-labelledby']) {
			if (node.hasAttribute(name)) node.setAttribute(name, `${node.getAttribute(name)}-${copies}`);
		}
	}
	return {el, ...refs(el)};
}

export function make(tag, words, kind = '') {
	return Object.assign(document.createElement(tag), {textContent: words, className: kind});
}

// text touches the document only on a change: polling must not disturb a selection.
export function text(node, words) {
	if (node.textContent !== words) node.textContent = words;
}

export const fill = (part, words) => Object.entries(words).forEach(([name, said]) => text(part[name], said));

export function show(node, visible) {
	node.hidden = !visible;
}

export function fail(node, error) {
	text(node, error ? problem(error) : '');
	show(node, error);
}

// attempt runs work once at a time; the button keeps its focus, an error is said in `where`.
export async function attempt(button, where, work) {
	if (button.ariaDisabled) return;
	button.ariaDisabled = 'true';
	fail(where);
	try {
		await work();
	} catch (error) {
		fail(where, error);
	}
	button.ariaDisabled = null;
}

export function press(button, where, work) {
	button.onclick = () => attempt(button, where, work);
}

// copy takes what a node says to the clipboard, and says so in `note`, anew each time.
export async function copy(node, note) {
	text(note, '');
	try {
		await navigator.clipboard.writeText(node.textContent);
		text(note, 'Скопировано.');
	} catch {
		// An iframe may not be allowed to use the clipboard.
		getSelection().selectAllChildren(node);
		text(note, 'Выделено: нажмите Ctrl+C.');
	}
}

let fading;

// notice says something briefly, or until the next one.
export function notice(words, stay) {
	clearTimeout(fading);
	text($('notice'), words);
	if (!stay) fading = setTimeout(() => text($('notice'), ''), 7000);
}

// ask shows the dialog. When save throws it stays; key keeps what was typed over a reload.
export function ask({title, words, label, value = '', judge, yes, danger, key, save}) {
	const dialog = $('ask'), part = refs(dialog), {input} = part;
	fill(part, {title, text: words, label, yes});
	part.yes.className = danger ? 'danger' : 'primary';
	show(part.field, label);
	fail(part.error);
	input.value = (key && recall(key)) ?? value;
	input.maxLength = judge ? 600 : 100;
	const look = () => hint(part.hint, judge?.(input.value));
	look();
	input.oninput = () => {
		keep(key, input.value);
		look();
	};
	dialog.firstElementChild.onsubmit = event => {
		event.preventDefault();
		attempt(part.yes, part.error, async () => {
			await save(input.value.trim());
			close();
		});
	};
	const close = part.no.onclick = () => {
		if (key) keep(key, null);
		dialog.close();
	};
	dialog.showModal();
	if (label) input.select();
	else part.no.focus();
}

export function hint(node, [kind, words] = ['', '']) {
	node.className = `hint ${kind}`;
	text(node, words);
}
