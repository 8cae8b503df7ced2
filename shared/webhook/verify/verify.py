import base64
import hashlib
import hmac
import time

TOLERANCE = 5 * 60  # seconds: an older delivery may be somebody's repeat


def verify(secret: str, headers, body: bytes, now: float | None = None) -> bool:
    """Checks a delivery by its headers (a mapping with names in lower case, or one that does not mind the case) and its
    body exactly as it came, before it is parsed. secret is the connection's signing secret (whsec_…).
    False means: answer 401 and do nothing."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    want = "v1," + base64.b64encode(mac).decode()
    signatures = headers.get("webhook-signature", "").split()  # two while the secret is being rotated
    return any(hmac.compare_digest(want.encode(), given.encode()) for given in signatures)
