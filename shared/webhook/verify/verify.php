<?php

const TOLERANCE = 5 * 60; // seconds: an older delivery may be somebody's repeat

/**
 * Checks a delivery by its headers (names in lower case: array_change_key_case(getallheaders())) and its body exactly as
 * it came (file_get_contents('php://input')), before it is parsed. $secret is the connection's signing secret (whsec_…).
 * False means: answer 401 and do nothing.
 */
function verify(string $secret, array $headers, string $body, ?int $now = null): bool
{
    $id = $headers['webhook-id'] ?? '';
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if ($id === '' || !ctype_digit($timestamp) || abs(($now ?? time()) - (int) $timestamp) > TOLERANCE) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    if ($key === false) {
        return false;
    }
    $want = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $headers['webhook-signature'] ?? '') as $given) { // two while the secret is being rotated
        if (hash_equals($want, $given)) {
            return true;
        }
    }
    return false;
}
