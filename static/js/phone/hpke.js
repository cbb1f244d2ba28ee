// HPKE (RFC 9180), single-shot open in base mode, empty aad: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.

import { join, utf8 } from "./bytes.js";

const KEM_SUITE = join(utf8("KEM"), [0x00, 0x10]);
const HPKE_SUITE = join(utf8("HPKE"), [0x00, 0x10, 0x00, 0x01, 0x00, 0x02]);
const EMPTY = new Uint8Array();
const POINT = 65; // bytes of an uncompressed P-256 point

async function hmac(key, data) {
  // WebCrypto refuses an empty HMAC key; 32 zero bytes are the same key (RFC 2104 pads with zeros).
  const raw = key.length ? key : new Uint8Array(32);
  const imported = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

const extract = (suite, salt, label, secret) => hmac(salt, join(utf8("HPKE-v1"), suite, utf8(label), secret));

// All our lengths fit in one block of SHA-256, so HKDF-Expand is one HMAC.
async function expand(suite, key, label, info, length) {
  const labelled = join([length >> 8, length & 255], utf8("HPKE-v1"), suite, utf8(label), info, [1]);
  return (await hmac(key, labelled)).slice(0, length);
}

async function sharedSecret(enc, keys) {
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const sender = await crypto.subtle.importKey("raw", enc, curve, false, []); // refuses what is off the curve
  const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: sender }, keys.privateKey, 256));
  const own = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
  const prk = await extract(KEM_SUITE, EMPTY, "eae_prk", dh);
  return expand(KEM_SUITE, prk, "shared_secret", join(enc, own), 32);
}

// sealed = enc || ciphertext. Throws when it is not for these keys and this info, or was changed on the way.
export async function open(sealed, keys, info) {
  const enc = sealed.slice(0, POINT);
  const shared = await sharedSecret(enc, keys);
  const context = join(
    [0x00],
    await extract(HPKE_SUITE, EMPTY, "psk_id_hash", EMPTY),
    await extract(HPKE_SUITE, EMPTY, "info_hash", info),
  );
  const secret = await extract(HPKE_SUITE, shared, "secret", EMPTY);
  const key = await expand(HPKE_SUITE, secret, "key", context, 32);
  const iv = await expand(HPKE_SUITE, secret, "base_nonce", context, 12);
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, aes, sealed.slice(POINT)));
}
