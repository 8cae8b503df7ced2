import { createHmac, timingSafeEqual } from 'node:crypto';

const tolerance = 5 * 60; // seconds: an older delivery may be somebody's repeat

// Checks a delivery by its headers (names in lower case, as Node gives them) and its body exactly as it came (a Buffer or
// string), before it is parsed. secret is the connection's signing secret (whsec_…). False means: answer 401, do nothing.
export function verify(secret, headers, body, now = Date.now() / 1000) {
	const id = headers['webhook-id'];
	const timestamp = headers['webhook-timestamp'];
	if (!id || !/^\d+$/.test(timestamp ?? '') || Math.abs(now - Number(timestamp)) > tolerance) return false;
	const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
	const want = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
	return (headers['webhook-signature'] ?? '').split(' ').some((signature) => { // two while the secret is being rotated
		const [version, encoded] = signature.split(',');
		const got = Buffer.from(encoded ?? '', 'base64');
		return version === 'v1' && got.length === want.length && timingSafeEqual(got, want);
	});
}
