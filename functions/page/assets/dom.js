// The small pieces every view is made of.
import {keep, recall} from './session.js';
import {problem} from './strings.js';

export const $ = (id) => document.getElementById(id);
export const refs = (el) => Object.fromEntries([...el.querySelectorAll('[data-ref]')].map((node) => [node.dataset.ref, node]));

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

// text and show touch the document only on a change, so that polling disturbs neither reader nor selection.
export function text(node, words) {
	if (node.textContent !== words) node.textContent = words;
}

export function show(node, visible) {
	if (node.hidden === Boolean(visible)) node.hidden = !visible;
}

export function fail(node, error) {
	text(node, error ? problem(error) : '');
	show(node, error);
}

// press runs work once at a time. The button keeps its focus meanwhile; an error is said in `where`.
export function press(button, where, work) {
	button.addEventListener('click', async () => {
		if (button.ariaDisabled) return;
		button.ariaDisabled = 'true';
		fail(where);
		try {
			await work();
		} catch (error) {
			fail(where, error);
		}
		button.ariaDisabled = null;
	});
}

let fading;

// notice says something briefly, to eyes and to screen readers; with stay, until the next one.
export function notice(words, stay) {
	clearTimeout(fading);
	text($('notice'), words);
	if (!stay) fading = setTimeout(() => text($('notice'), ''), 7000);
}

// ask shows the dialog. When save throws, it stays, with everything typed; key keeps what is typed over a reload.
export function ask({title, words, label, value = '', judge, yes, danger, key, save}) {
	const dialog = $('ask'), part = refs(dialog), {input} = part;
	text(part.title, title);
	text(part.text, words);
	text(part.label, label);
	text(part.yes, yes);
	show(part.field, label);
	part.yes.className = danger ? 'danger' : 'primary';
	fail(part.error);
	input.value = (key && recall(key)) ?? value;
	input.maxLength = judge ? 600 : 100;
	const look = () => hint(part.hint, judge?.(input.value));
	look();
	input.oninput = () => {
		keep(key, input.value);
		look();
	};
	dialog.firstElementChild.onsubmit = async (event) => {
		event.preventDefault();
		if (part.yes.ariaDisabled) return;
		part.yes.ariaDisabled = 'true';
		fail(part.error);
		try {
			await save(input.value.trim());
			close();
		} catch (error) {
			fail(part.error, error);
		}
		part.yes.ariaDisabled = null;
	};
	const close = part.no.onclick = () => {
		if (key) keep(key, null);
		dialog.close();
	};
	dialog.showModal();
	if (label) input.select();
}

export function hint(node, [kind, words] = ['', '']) {
	node.className = `hint ${kind}`;
	text(node, words);
}
